// From the start of node to the first answered request.
import { join } from 'node:path';
import { ServerProcess, withDirectory } from './servers.mjs';
import { median, printTable, verdict, whole } from './table.mjs';

const targetMs = 300;
const starts = 11;

/** @param {import('./run.mjs').BenchSettings} settings */
export async function startup(settings) {
  /** @type {number[]} */
  const timesMs = [];
  for (let i = 0; i < starts; i++) {
    timesMs.push(
      await withDirectory(settings.data, async (directory) => {
        const server = await ServerProcess.start({
          target: 'meerkat',
          dataDirectory: join(directory, 'data'),
        });
        await server.stop();
        return server.startMs;
      }),
    );
  }
  const slowest = Math.max(...timesMs);
  printTable(
    `An empty server's first answer after node was started, ${starts} starts`,
    ['', 'median', 'slowest', 'target', ''],
    [
      [
        'first request answered',
        `${whole(median(timesMs))} ms`,
        `${whole(slowest)} ms`,
        `${targetMs} ms`,
        verdict(median(timesMs) <= targetMs),
      ],
    ],
  );
}
