import { readdirSync, statSync } from 'node:fs';
import { arch, freemem, homedir, hostname, platform, release, totalmem, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { fullVersion } from './version.ts';
import { notServing, type Word, whenServing } from './word-context.ts';

/** `ruok`: whether the process is there at all. */
export const ruok: Word = () => 'imok';

/** `isro`: whether writes are taken. */
export const isro: Word = ({ view }) => {
  if (!view.serving) return 'null';
  return view.state === 'read-only' ? 'ro' : 'rw';
};

/** `gtmk`: the trace mask. */
export const gtmk: Word = ({ traceMask }) => String(traceMask);

/** `dirs`: bytes in the data directories. */
export const dirs: Word = whenServing(({ config }) => {
  const { dataDir, dataLogDir } = config.replica;
  const sizes = [
    directoryBytes(versionDirectory(dataDir)),
    directoryBytes(versionDirectory(dataLogDir)),
  ];
  return `datadir_size: ${sizes[0]}\nlogdir_size: ${sizes[1]}\n`;
});

/** `conf`: how the server is set up. */
export const conf: Word = whenServing(({ view, config, clientPort }) => {
  const { replica, listener } = config;
  const dataDir = versionDirectory(replica.dataDir);
  const dataLogDir = versionDirectory(replica.dataLogDir);
  return [
    `clientPort=${clientPort()}`,
    'secureClientPort=-1',
    `dataDir=${dataDir}`,
    `dataDirSize=${directoryBytes(dataDir)}`,
    `dataLogDir=${dataLogDir}`,
    `dataLogSize=${directoryBytes(dataLogDir)}`,
    `tickTime=${replica.tickTimeMs}`,
    `maxClientCnxns=${listener.maxClientCnxns}`,
    `minSessionTimeout=${replica.minSessionTimeoutMs}`,
    `maxSessionTimeout=${replica.maxSessionTimeoutMs}`,
    `clientPortListenBacklog=${listener.backlog}`,
    // A standalone server is 0 here, whatever the first byte of its session ids.
    view.member?.configuration() ?? 'serverId=0\n',
  ].join('\n');
});

/** `hash`: the history of the tree's digest. */
export const hash: Word = ({ view }) => {
  if (!view.serving) return notServing;
  const lines = [...view.digests()].map(({ zxid, digest }) => `${zxid.toString(16)}: ${digest}\n`);
  return lines.join('');
};

/** `envi`: the machine and the process. What only a Java machine has is left out. */
export const envi: Word = () => {
  const memory = process.memoryUsage();
  const entries: readonly (readonly [string, string])[] = [
    ['zookeeper.version', fullVersion()],
    ['host.name', hostname()],
    ['node.version', process.version],
    ['node.path', process.execPath],
    ['os.name', osName()],
    ['os.arch', arch() === 'x64' ? 'amd64' : arch()],
    ['os.version', release()],
    ['user.name', userName()],
    ['user.home', homedir()],
    ['user.dir', process.cwd()],
    ['os.memory.free', megabytes(freemem())],
    ['os.memory.max', megabytes(totalmem())],
    ['os.memory.total', megabytes(memory.rss)],
  ];
  return `Environment:\n${entries.map(([key, value]) => `${key}=${value}\n`).join('')}`;
};

function versionDirectory(directory: string): string {
  return resolve(join(directory, 'version-2'));
}

/** The bytes of all files in a directory and below; what goes away meanwhile does not count. */
function directoryBytes(directory: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) bytes += directoryBytes(path);
      else bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {
    // No such directory: nothing in it.
  }
  return bytes;
}

function osName(): string {
  const names: Readonly<Record<string, string>> = { linux: 'Linux', darwin: 'Mac OS X' };
  return names[platform()] ?? platform();
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user id without a name, as in many containers.
    return '?';
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / (1024 * 1024))}MB`;
}
