// A member without data behind a busy leader with a large tree: how long until it serves, and what the leader's clients
// notice of it.
import { performance } from 'node:perf_hooks';
import { connect } from '../packages/client/dist/index.js';
import { EnsembleProcesses } from './ensembles.mjs';
import { measure } from './load.mjs';
import { withDirectory } from './servers.mjs';
import { milliseconds, printTable, verdict, whole } from './table.mjs';

const servingSecondsMax = 10;
const p999UsMax = 30_000;
const znodes = 1_000_000;
const batch = 2000;
const loadSeconds = 12;

/** @param {import('./run.mjs').BenchSettings} settings */
export function wipedMember(settings) {
  return withDirectory(settings.data, async (directory) => {
    const members = await EnsembleProcesses.start('meerkat', directory);
    try {
      const leader = await members.leader();
      await fill(members.addressOf(leader));
      const load = {
        address: members.addressOf(leader),
        connections: 20,
        mix: 'mix30',
        depth: 1,
        seconds: loadSeconds,
        warmUpSeconds: 1,
      };
      const quiet = await measure(load);
      const follower = (leader + 1) % 3;
      await members.wipeMember(follower);
      const busy = measure(load);
      const startMs = performance.now();
      members.startMember(follower);
      await members.untilServing();
      const seconds = (performance.now() - startMs) / 1000;
      report(quiet, await busy, seconds);
    } finally {
      await members.stop();
    }
  });
}

/** @param {string} address */
async function fill(address) {
  const zk = await connect(address, { sessionTimeoutMs: 30_000 });
  await zk.create('/tree', '');
  const data = 'x'.repeat(100);
  for (let from = 0; from < znodes; from += batch) {
    const paths = Array.from({ length: batch }, (_, i) => `/tree/n${from + i}`);
    await Promise.all(paths.map((path) => zk.create(path, data)));
  }
  await zk.close();
}

/**
 * @param {import('./load.mjs').Measured} quiet
 * @param {import('./load.mjs').Measured} busy
 * @param {number} seconds
 */
function report(quiet, busy, seconds) {
  printTable(
    `A member without data, behind a leader with ${whole(znodes)} znodes of 100 bytes and 20 clients`,
    ['', 'measured', 'without it', 'target', ''],
    [
      [
        'from its start until it serves, its process included',
        `${seconds.toFixed(1)} s`,
        '',
        `${servingSecondsMax} s`,
        verdict(seconds <= servingSecondsMax),
      ],
      [
        "p99.9 of the leader's clients meanwhile",
        milliseconds(busy.p999Us),
        milliseconds(quiet.p999Us),
        milliseconds(p999UsMax),
        verdict(busy.p999Us <= p999UsMax),
      ],
      [
        'operations per second',
        whole(busy.operationsPerSecond),
        whole(quiet.operationsPerSecond),
        '',
        '',
      ],
    ],
  );
}
