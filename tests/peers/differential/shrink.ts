import { type ComparisonOptions, type Disagreement, runSteps } from './comparison.ts';
import type { Step } from './step.ts';

/** Fresh servers take about a second and a half to start: the search is bounded by its runs. */
const runsMax = 24;

/**
 * Looks for a shorter run that shows a disagreement of the servers: first only the steps that touch related paths, then
 * the usual bisection, each attempt on fresh servers.
 */
export async function shrink(
  options: ComparisonOptions,
  found: Disagreement,
): Promise<Disagreement> {
  let best = found;
  let runs = 0;
  const attempt = async (steps: readonly Step[]): Promise<boolean> => {
    if (runs >= runsMax || steps.length >= best.steps.length) return false;
    runs++;
    try {
      const { disagreement } = await runSteps(options, steps);
      if (disagreement === undefined) return false;
      best = disagreement;
      return true;
    } catch {
      // The shortened run broke the lockstep: not a shorter proof.
      return false;
    }
  };
  await attempt(relatedSteps(found.steps));
  await attempt(best.steps.slice(-500));
  for (let size = Math.ceil(best.steps.length / 2); size >= 1 && runs < runsMax; ) {
    let shorter = false;
    for (let start = 0; start < best.steps.length - 1; start += size) {
      const last = best.steps.slice(-1);
      const rest = best.steps.slice(0, -1);
      shorter =
        (await attempt([...rest.slice(0, start), ...rest.slice(start + size), ...last])) || shorter;
      if (runs >= runsMax) break;
    }
    if (!shorter || size > best.steps.length) size = Math.floor(size / 2);
  }
  return best;
}

/** Steps that touch a path of the last step, or one above or below it, and those that concern whole sessions. */
function relatedSteps(steps: readonly Step[]): Step[] {
  const last = steps.at(-1);
  const targets =
    last?.kind === 'requests' ? last.requests.flatMap((request) => request.paths) : [];
  const related = (path: string): boolean =>
    targets.some((target) => target.startsWith(path) || path.startsWith(target));
  const kept: Step[] = [];
  for (const step of steps) {
    if (step.kind !== 'requests' || step.closes !== undefined) {
      kept.push(step);
      continue;
    }
    const requests = step.requests.filter(({ paths }) => paths.length === 0 || paths.some(related));
    if (requests.length > 0) kept.push({ ...step, requests });
  }
  return kept;
}
