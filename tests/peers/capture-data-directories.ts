import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logFiles, newestLog } from './support/log-files.ts';
import { makeTreeAndKill } from './support/make-tree.ts';
import { temporaryDirectory } from './support/paths.ts';
import { ServerUnderTest } from './support/server-under-test.ts';
import { dumpTree } from './support/tree-dump.ts';

/** One data directory to capture. */
interface Capture {
  readonly name: string;
  readonly description: string;
  readonly systemProperties?: Readonly<Record<string, string | number>>;
  readonly config?: Readonly<Record<string, string | number>>;
  /** How often the server is killed and started again, each time with more nodes. */
  readonly restarts: number;
  /** Leave the zeros that the server preallocated at the end of its logs. */
  readonly padded?: boolean;
  /** Bytes cut off the end of the newest log. */
  readonly tornBytes?: number;
}

const captures: readonly Capture[] = [
  {
    name: 'log-only',
    description: 'snapshot.0 of an empty server and one log, cut after its last record',
    restarts: 0,
  },
  {
    name: 'padded-log',
    description: 'as log-only, with the zeros of the preallocation',
    restarts: 0,
    padded: true,
  },
  {
    name: 'torn-tail',
    description: 'as log-only, the last record cut 7 bytes short',
    restarts: 0,
    tornBytes: 7,
  },
  {
    name: 'restarted',
    description: 'killed and started again once: a snapshot with sessions, and a second log',
    restarts: 1,
  },
  {
    name: 'rolled',
    description: 'snapCount=20: several logs and snapshots, taken while writes went on',
    restarts: 0,
    systemProperties: { 'zookeeper.snapCount': 20 },
  },
  {
    name: 'gzip',
    description: 'as restarted, snapshots compressed with gzip',
    restarts: 1,
    systemProperties: { 'zookeeper.snapshot.compression.method': 'gz' },
  },
  {
    name: 'snappy',
    description: 'as restarted, snapshots compressed with snappy',
    restarts: 1,
    systemProperties: { 'zookeeper.snapshot.compression.method': 'snappy' },
  },
  {
    name: 'no-digest',
    description:
      'as restarted, written with zookeeper.digest.enabled=false: no digests in log and snapshot',
    restarts: 1,
    systemProperties: { 'zookeeper.digest.enabled': 'false' },
  },
  {
    name: 'no-close-session-txn',
    description:
      'as restarted, without digests and with closeSession transactions that have no body, as before 3.6',
    restarts: 1,
    systemProperties: {
      'zookeeper.closeSessionTxn.enabled': 'false',
      'zookeeper.digest.enabled': 'false',
    },
  },
];

/** Writes each directory with its expected.txt, the view that ZooKeeper's own classes have of it. */
export async function captureDataDirectories(target: string): Promise<void> {
  rmSync(target, { recursive: true, force: true });
  let readme = '# Data directories written by Java ZooKeeper 3.8.0\n\n';
  readme +=
    'Made by tests/peers/capture-golden.ts. Each holds version-2 and expected.txt, what TreeDump.java\n';
  readme +=
    'prints for it (zxid, sessions, nodes with persisted stats, digest, transaction headers).\n\n';
  for (const capture of captures) {
    await captureDirectory(capture, join(target, capture.name));
    readme += `- ${capture.name}: ${capture.description}\n`;
    process.stdout.write(`java-3.8.0/${capture.name}\n`);
  }
  writeFileSync(join(target, 'README.md'), readme);
}

async function captureDirectory(capture: Capture, target: string): Promise<void> {
  const systemProperties = {
    'zookeeper.extendedTypesEnabled': 'true',
    'zookeeper.preAllocSize': 16,
    ...capture.systemProperties,
  };
  // The key in zoo.cfg would win over the JVM property for snapCount and preAllocSize alike.
  const server = await ServerUnderTest.start({
    target: 'java',
    config: { preAllocSize: 16, ...capture.config },
    systemProperties,
  });
  for (let round = 0; round <= capture.restarts; round++) {
    if (round > 0) await server.restart();
    await makeTreeAndKill(server, `round-${round}`);
  }
  const version2 = join(target, 'version-2');
  mkdirSync(version2, { recursive: true });
  cpSync(join(server.dataDirectory, 'version-2'), version2, { recursive: true });
  if (capture.padded !== true) trimLogs(version2);
  if (capture.tornBytes !== undefined) cutNewestLog(version2, capture.tornBytes);
  const copy = temporaryDirectory('dump');
  cpSync(target, copy, { recursive: true });
  writeFileSync(
    join(target, 'expected.txt'),
    await dumpTree(copy, { systemProperties, withTransactions: true }),
  );
}

/** Cuts the zeros off every log: a record ends with 0x42, so the last byte that is not zero ends the last record. */
function trimLogs(version2: string): void {
  for (const path of logFiles(version2)) {
    const bytes = readFileSync(path);
    let end = bytes.length;
    while (end > 16 && bytes[end - 1] === 0) end--;
    truncateSync(path, end);
  }
}

function cutNewestLog(version2: string, byteCount: number): void {
  const path = newestLog(version2);
  truncateSync(path, readFileSync(path).length - byteCount);
}
