import { setTimeout as delay } from 'node:timers/promises';

/** How long something of an ensemble may take on a machine that does much else, ms. */
export const patienceMs = 60_000;

/**
 * Asks again and again until `condition` gives something other than false or undefined, and returns that.
 *
 * @param what finishes the sentence "never …"
 * @throws when `deadlineMs` has passed, with what `detail` says then
 */
export async function until<T>(
  what: string,
  condition: () => Promise<T | false | undefined> | T | false | undefined,
  options: { readonly deadlineMs?: number; readonly detail?: () => string } = {},
): Promise<T> {
  const { deadlineMs = patienceMs, detail = () => '' } = options;
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const result = await condition();
    if (result !== false && result !== undefined) return result;
    if (performance.now() > endMs) {
      throw new Error(`never within ${deadlineMs} ms: ${what}\n${detail()}`);
    }
    // Nothing tells when a process of somebody else has come so far; it is asked.
    await delay(20);
  }
}
