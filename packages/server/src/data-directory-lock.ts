/**
 * A lock on a data directory against a second server, which would write the same files.
 *
 * On Linux the kernel keeps it: a socket in the abstract namespace, named after device and inode of
 * the directory. It goes with the process, however that ends, is never stale, and of two servers
 * that race one gets it. It does not reach into other network namespaces, so a file beside it tells
 * who holds the directory: process id, the moment that process started, and the boot of the
 * machine. A file whose process is gone, or whose id is another process by now, is stale.
 *
 * Two containers that share a directory but neither processes nor network cannot see each other.
 */
import * as fs from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';

const fileName = 'meerkat.lock';

/** The directory is another server's. */
export class DirectoryLockedError extends Error {
  override readonly name: string = 'DirectoryLockedError';

  constructor(directory: string, owner: LockOwner | null) {
    const who = owner === null ? 'another server' : `the server with process id ${owner.pid}`;
    super(
      `Cannot use the data directory ${directory}: ${who} uses it; stop that one, or give this one another dataDir`,
    );
  }
}

/** Who holds a lock, as written into its file. */
interface LockOwner {
  readonly pid: number;
  /** When the process started, in the kernel's ticks since boot; empty when the system does not say. */
  readonly started: string;
  /** Which boot of which machine; empty likewise. */
  readonly boot: string;
}

/** A directory that is ours until `release`, or until the process ends. */
export class DataDirectoryLock {
  readonly #path: string;
  readonly #socket: Server | null;
  #held = true;

  private constructor(path: string, socket: Server | null) {
    this.#path = path;
    this.#socket = socket;
  }

  /**
   * Takes the directory, which must exist.
   *
   * @throws DirectoryLockedError when another server has it
   */
  static async acquire(directory: string): Promise<DataDirectoryLock> {
    const path = join(directory, fileName);
    const socket = await bindAbstractSocket(directory);
    if (socket === 'taken') throw new DirectoryLockedError(directory, readOwner(path));
    try {
      takeFile(path, directory, socket !== null);
    } catch (error) {
      socket?.close();
      throw error;
    }
    return new DataDirectoryLock(path, socket);
  }

  /** Gives the directory back. Idempotent. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    fs.rmSync(this.#path, { force: true });
    this.#socket?.close();
  }
}

/** The socket, null where there is no such thing, or that another process has it. */
async function bindAbstractSocket(directory: string): Promise<Server | 'taken' | null> {
  if (process.platform !== 'linux') return null;
  const { dev, ino } = fs.statSync(directory);
  const server = createServer((socket) => socket.destroy());
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken');
      else reject(error);
    });
    server.listen({ path: `\0meerkat-data-directory-${dev}-${ino}` }, () => {
      // The lock does not keep the process alive.
      server.unref();
      resolve(server);
    });
  });
}

/** @param alone no other process can be here at the same time */
function takeFile(path: string, directory: string, alone: boolean): void {
  const mine = JSON.stringify(ownerOf(process.pid));
  for (let attempt = 0; attempt < 3; attempt++) {
    const owner = readOwner(path);
    if (owner !== null && isAlive(owner)) throw new DirectoryLockedError(directory, owner);
    if (alone || owner !== null || attempt > 0) fs.rmSync(path, { force: true });
    try {
      fs.writeFileSync(path, `${mine}\n`, { flag: 'wx' });
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
  throw new DirectoryLockedError(directory, readOwner(path));
}

function readOwner(path: string): LockOwner | null {
  try {
    const owner: unknown = JSON.parse(fs.readFileSync(path, 'utf8'));
    if (owner === null || typeof owner !== 'object') return null;
    const { pid, started, boot } = owner as Partial<Record<keyof LockOwner, unknown>>;
    return { pid: Number(pid), started: String(started), boot: String(boot) };
  } catch {
    // Not there, or half written by a process that is gone.
    return null;
  }
}

function ownerOf(pid: number): LockOwner {
  return { pid, started: startOf(pid), boot: bootId() };
}

function isAlive(owner: LockOwner): boolean {
  if (!Number.isSafeInteger(owner.pid) || owner.pid <= 0) return false;
  const boot = bootId();
  if (boot !== '' && owner.boot !== boot) return false;
  if (!processExists(owner.pid)) return false;
  const started = startOf(owner.pid);
  // This very process may hold another lock of the same directory: that counts as alive.
  return started === '' || started === owner.started;
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program stands in parentheses and may hold anything; field 22 is the start.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function bootId(): string {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}
