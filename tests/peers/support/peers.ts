import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type TestContext, test } from 'node:test';
import { runnersPath } from './paths.ts';

/**
 * The outside programs these tests run against. Each one is found where Debian (or npm) installs it; a test
 * names those it needs and is skipped, by name, on a machine that lacks one.
 */
export type PeerName =
  | 'java'
  | 'javac'
  | 'zookeeper.jar'
  | 'zkCli.sh'
  | 'curator'
  | 'curator-x-discovery'
  | 'kazoo'
  | 'libzookeeper_mt'
  | 'netty-codec.jar'
  | 'keytool'
  | 'openssl'
  | 'jks-js'
  | 'node-zookeeper-client'
  | 'vitest'
  | 'jest'
  | 'mariadb';

const javaLibraries = '/usr/share/java';

/** The Debian script that starts ZooKeeper's own command line. */
export const zkCliPath = '/usr/share/zookeeper/bin/zkCli.sh';

/** Debian's Python, the one that sees Debian's kazoo whatever `python3` is first on the PATH. */
export const pythonPath = '/usr/bin/python3';

/**
 * Class path with ZooKeeper and, through its manifest, everything it needs (but for TLS, whose two come after);
 * slf4j-simple makes it log to stderr.
 */
export const zooKeeperClassPath: string = jars(
  'zookeeper',
  'zookeeper-jute',
  'slf4j-simple',
  'netty-codec',
  'netty-resolver',
);

/** Class path with Curator's recipes and service discovery on top of ZooKeeper. */
export const curatorClassPath: string = jars(
  'curator-x-discovery',
  'curator-recipes',
  'curator-framework',
  'curator-client',
  'guava',
  'jackson-databind',
  'jackson-core',
  'jackson-annotations',
  'zookeeper',
  'zookeeper-jute',
  'slf4j-simple',
);

const detectors: Record<PeerName, () => boolean> = {
  java: () => runs('java', ['-version']),
  javac: () => runs('javac', ['-version']),
  'zookeeper.jar': () =>
    existsSync(`${javaLibraries}/zookeeper.jar`) &&
    existsSync(`${javaLibraries}/zookeeper-jute.jar`),
  'zkCli.sh': () => existsSync(zkCliPath),
  curator: () => existsSync(`${javaLibraries}/curator-recipes.jar`),
  'curator-x-discovery': () => existsSync(`${javaLibraries}/curator-x-discovery.jar`),
  mariadb: () => existsSync('/usr/sbin/mariadbd'),
  kazoo: () => existsSync(pythonPath) && runs(pythonPath, ['-c', 'import kazoo']),
  libzookeeper_mt: () =>
    existsSync('/usr/include/zookeeper/zookeeper.h') && runs('gcc', ['--version']),
  'netty-codec.jar': () => existsSync(`${javaLibraries}/netty-codec.jar`),
  keytool: () => runs('keytool', ['-help']),
  openssl: () => runs('openssl', ['version']),
  'jks-js': () => resolves('jks-js'),
  'node-zookeeper-client': () => resolves('node-zookeeper-client'),
  vitest: () => existsSync(`${runnersPath}/node_modules/vitest`),
  jest: () => existsSync(`${runnersPath}/node_modules/jest`),
};

const detected = new Map<PeerName, boolean>();

/** Whether `peer` is installed here; looked up once per process. */
export function hasPeer(peer: PeerName): boolean {
  let present = detected.get(peer);
  if (present === undefined) {
    present = detectors[peer]();
    detected.set(peer, present);
  }
  return present;
}

/** What a peer test may set beside its name. */
export interface PeerTestOptions {
  /** Wall-clock bound of the test. Default 120,000 ms. */
  readonly timeoutMs?: number;
}

/**
 * Registers a test that needs `peers`. A missing peer skips the test and says which one is missing; with
 * `PEERS=required` in the environment it fails instead, so that a machine meant to run everything does.
 */
export function peerTest(
  name: string,
  peers: readonly PeerName[],
  fn: (context: TestContext) => Promise<void> | void,
  options: PeerTestOptions = {},
): void {
  const missing = peers.filter((peer) => !hasPeer(peer));
  const timeout = options.timeoutMs ?? 120_000;
  if (missing.length === 0) {
    void test(name, { timeout }, fn);
    return;
  }
  const reason = `peer not installed: ${missing.join(', ')}`;
  if (process.env.PEERS === 'required') {
    void test(name, () => {
      throw new Error(`Cannot run "${name}": ${reason}, and PEERS=required. Install the peer.`);
    });
    return;
  }
  void test(name, { skip: reason }, () => {});
}

/** The version line of the installed ZooKeeper, for diagnostics. */
export function javaZooKeeperVersion(): string {
  return execFileSync(
    'java',
    ['-cp', zooKeeperClassPath, 'org.apache.zookeeper.version.VersionInfoMain'],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  ).trim();
}

function jars(...names: readonly string[]): string {
  return names.map((name) => `${javaLibraries}/${name}.jar`).join(':');
}

function resolves(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
