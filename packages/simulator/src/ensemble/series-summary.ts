import type { EnsembleReport } from './ensemble-simulation.ts';
import type { SeedOutcome } from './seed-series.ts';

/** What a series of seeds comes to: lines that depend on the seeds alone, not on how they were run. */
export function summarize(outcomes: readonly SeedOutcome[]): string[] {
  const reports = outcomes.flatMap(({ report }) => report ?? []);
  const failures = failuresByRule(outcomes);
  const sum = (of: (report: EnsembleReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const healed = reports.map(({ healedAfterMs }) => healedAfterMs).sort((a, b) => a - b);
  const hours = sum((report) => report.simulatedMs) / 3_600_000;
  const lines = [
    `faults: ${faultsOf(reports)}`,
    `${outcomes.length} seeds, ${outcomes.length - reports.length} failed; ${hours.toFixed(1)} h simulated; ` +
      `${sum((report) => report.transactions)} transactions, ${sum((report) => report.replies)} replies, ` +
      `${sum((report) => report.events)} events, ${sum((report) => report.epochs)} epochs; ` +
      `healed after ${healed[healed.length >> 1] ?? 0} ms, at most ${healed.at(-1) ?? 0}`,
  ];
  for (const [rule, seeds] of failures) lines.push(`${seeds.length} x ${rule}: ${seeds.join(' ')}`);
  return lines;
}

/** The seeds that failed, under the promise that was broken: what a message says before its first colon. */
export function failuresByRule(outcomes: readonly SeedOutcome[]): Map<string, number[]> {
  const failures = new Map<string, number[]>();
  for (const { seed, failure } of outcomes) {
    if (failure === undefined) continue;
    const rule = failure.message.split(':', 1)[0] ?? failure.message;
    failures.set(rule, [...(failures.get(rule) ?? []), seed]);
  }
  return failures;
}

function faultsOf(reports: readonly EnsembleReport[]): string {
  const faults = new Map<string, number>();
  for (const report of reports) {
    for (const [kind, count] of report.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
  }
  return [...faults]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}
