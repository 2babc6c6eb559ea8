import type { LoadProgress, LoadResult } from './load.ts';

/** The result as text for people. */
export function formatResult(result: LoadResult): string {
  const { latencyUs } = result;
  const lines = [
    `${result.mix}: ${count(result.connections, 'connection')} to ${result.servers.join(', ')}, ` +
      `${result.depth} in flight on each, ${result.payloadBytes} bytes per value, ` +
      `${count(result.keys, 'key')}`,
    '',
    `  ${whole(result.operationsPerSecond)} operations/s ` +
      `(${whole(result.operations)} in ${(result.measuredMs / 1000).toFixed(1)} s)`,
    '',
    '  latency',
    ...Object.entries(latencyUs.percentiles).map(([percent, us]) => latency(`p${percent}`, us)),
    latency('max', latencyUs.max),
    latency('mean', latencyUs.mean),
    '',
    `  ${errors(result)}`,
  ];
  if (result.connectionsLost > 0) {
    lines.push(
      `  ${count(result.connectionsLost, 'connection')} lost, with ` +
        `${count(result.requestsLost, 'request')} in flight. Last: ${result.lastLoss}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** One line that says where a run stands. */
export function formatProgress(progress: LoadProgress): string {
  const seconds = (progress.elapsedMs / 1000).toFixed(0);
  const lost = progress.connectionsLost > 0 ? `, ${progress.connectionsLost} connections lost` : '';
  return (
    `${seconds.padStart(4)} s  ${progress.phase}: ` +
    `${whole(progress.operationsPerSecond)} operations/s, ${progress.errorCount} errors${lost}`
  );
}

function errors({ errorCount, errors }: LoadResult): string {
  if (errorCount === 0) return 'no errors';
  const kinds = Object.entries(errors).map(([name, times]) => `${name} ${whole(times)}`);
  return `${count(errorCount, 'error')}: ${kinds.join(', ')}`;
}

function latency(label: string, us: number): string {
  const text = us < 10_000 ? `${whole(us)} µs` : `${(us / 1000).toFixed(1)} ms`;
  return `    ${label.padEnd(7)}${text.padStart(10)}`;
}

function count(value: number, noun: string): string {
  return `${whole(value)} ${noun}${value === 1 ? '' : 's'}`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
