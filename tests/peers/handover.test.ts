import assert from 'node:assert/strict';
import { cpSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { newestLog } from './support/log-files.ts';
import { makeTreeAndKill } from './support/make-tree.ts';
import { temporaryDirectory } from './support/paths.ts';
import { peerTest } from './support/peers.ts';
import { defaultTarget, ServerUnderTest, type Target } from './support/server-under-test.ts';
import { dumpTree } from './support/tree-dump.ts';
import { dumpOverTheWire, shownOverTheWire, superUserProperties } from './support/wire-dump.ts';

/*
 * One data directory goes from server to server, Java and the one under test in turn. Each must show exactly what
 * ZooKeeper's own classes read from the files, adds to the tree, and is killed.
 */

interface Handover {
  readonly name: string;
  /** What both servers run with. */
  readonly systemProperties?: Readonly<Record<string, string | number>>;
  /** Bytes cut off the newest log before each handover. */
  readonly tornBytes?: number;
}

const handovers: readonly Handover[] = [
  { name: 'as it comes' },
  { name: 'with the last record torn', tornBytes: 11 },
  { name: 'without digests', systemProperties: { 'zookeeper.digest.enabled': 'false' } },
  {
    name: 'with gzip snapshots',
    systemProperties: { 'zookeeper.snapshot.compression.method': 'gz' },
  },
  {
    name: 'with snappy snapshots',
    systemProperties: { 'zookeeper.snapshot.compression.method': 'snappy' },
  },
  { name: 'with snapshots taken under way', systemProperties: { 'zookeeper.snapCount': 20 } },
];

for (const handover of handovers) {
  peerTest(
    `a data directory goes to and fro, ${handover.name}`,
    ['java', 'javac', 'zookeeper.jar'],
    (context) => handOver(context, handover),
  );
}

async function handOver(context: TestContext, handover: Handover): Promise<void> {
  const directory = temporaryDirectory('handover');
  const systemProperties = {
    'zookeeper.extendedTypesEnabled': 'true',
    // Nothing is removed while the test looks.
    'znode.container.checkIntervalMs': 3_600_000,
    ...superUserProperties,
    ...handover.systemProperties,
  };
  const turns: readonly Target[] = ['java', defaultTarget, 'java', defaultTarget];
  let nodeCount = 0;
  for (const [turn, target] of turns.entries()) {
    const before = turn === 0 ? undefined : await dumpFiles(directory, systemProperties);
    const server = await ServerUnderTest.start({ target, directory, systemProperties });
    try {
      if (before !== undefined) {
        assertSameLines(
          await dumpOverTheWire(server.port),
          shownOverTheWire(before),
          `${target} shows`,
        );
        await server.stop();
        const after = await dumpFiles(directory, systemProperties);
        assertSameLines(withoutZxid(after), withoutZxid(before), `the files after ${target} hold`);
        // The session that looked was created and closed.
        assert.equal(zxidOf(after), zxidOf(before) + 2);
        nodeCount = shownOverTheWire(after).length;
        await server.restart();
      }
      await makeTreeAndKill(server, `turn-${turn}`);
    } catch (error) {
      throw new Error(`turn ${turn}: ${String(error)}\n${server.logTail()}`, { cause: error });
    } finally {
      await server.kill();
    }
    if (handover.tornBytes !== undefined) tearNewestLog(server, handover.tornBytes);
  }
  context.diagnostic(`${turns.join(' -> ')}: ${nodeCount} nodes and sessions compared in the end`);
}

/** What ZooKeeper's classes read from a copy of the directory. */
async function dumpFiles(
  directory: string,
  systemProperties: Readonly<Record<string, string | number>>,
): Promise<string> {
  const copy = temporaryDirectory('dump');
  cpSync(join(directory, 'data'), copy, { recursive: true });
  const dump = await dumpTree(copy, { systemProperties });
  assert.doesNotMatch(dump, /^digest mismatch/m);
  return dump;
}

/** Cuts into the last record: what was written last counts as never written. */
function tearNewestLog(server: ServerUnderTest, byteCount: number): void {
  const path = newestLog(join(server.dataDirectory, 'version-2'));
  const bytes = readFileSync(path);
  let end = bytes.length;
  while (end > 16 && bytes[end - 1] === 0) end--;
  truncateSync(path, end - byteCount);
}

function withoutZxid(dump: string): string[] {
  return dump.split('\n').filter((line) => !line.startsWith('zxid '));
}

function zxidOf(dump: string): number {
  return Number.parseInt(/^zxid (\w+)$/m.exec(dump)?.[1] ?? '', 16);
}

/** Compares line by line, so that a failure shows the nodes that differ and not two whole trees. */
function assertSameLines(
  actual: readonly string[],
  expected: readonly string[],
  what: string,
): void {
  const missing = expected.filter((line) => !actual.includes(line));
  const surplus = actual.filter((line) => !expected.includes(line));
  const show = (lines: readonly string[]): string => lines.slice(0, 10).join('\n').slice(0, 4_000);
  assert.ok(
    missing.length === 0 && surplus.length === 0 && actual.length === expected.length,
    `${what} another tree\nexpected, not found:\n${show(missing)}\nfound, not expected:\n${show(surplus)}`,
  );
}
