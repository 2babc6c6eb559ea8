import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mariadb';
import type { PoolSettings } from './settings.ts';

/** Where Debian's mariadb-server puts the program. */
export const mariadbPath = '/usr/sbin/mariadbd';

/**
 * A MariaDB of our own in a temporary folder, with two databases, `blue` and `green`, that hold a line of text each.
 *
 * @throws Error when it is not installed, or does not start
 */
export class MariadbServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #port: number;

  private constructor(folder: string, process: ChildProcess, port: number) {
    this.#folder = folder;
    this.#process = process;
    this.#port = port;
  }

  static async start(): Promise<MariadbServer> {
    if (!existsSync(mariadbPath)) {
      throw new Error(
        `Cannot start MariaDB: there is no ${mariadbPath}; apt-get install mariadb-server`,
      );
    }
    const folder = await mkdtemp(join(tmpdir(), 'example-mariadb-'));
    const port = await freePort();
    const own = ['--no-defaults', `--datadir=${join(folder, 'data')}`];
    const user = `--user=${userInfo().username}`;
    execFileSync('mariadb-install-db', [...own, user, '--auth-root-authentication-method=normal'], {
      stdio: 'ignore',
    });
    const args = [`--socket=${join(folder, 'socket')}`, `--port=${port}`, user];
    const tuning = ['--bind-address=127.0.0.1', '--innodb-buffer-pool-size=16M', '--skip-log-bin'];
    const child = spawn(mariadbPath, [...own, ...args, ...tuning], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const server = new MariadbServer(folder, child, port);
    try {
      await untilReady(child);
      await fill(join(folder, 'socket'));
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** How to reach one of the databases. */
  settings(database: 'blue' | 'green', connectionsMax: number): PoolSettings {
    const reach = { host: '127.0.0.1', port: this.#port, user: 'page', password: 'secret' };
    return { ...reach, database, connectionsMax };
  }

  /** Ends the server and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** It says so on stderr. */
async function untilReady(child: ChildProcess): Promise<void> {
  let log = '';
  for await (const chunk of child.stderr ?? []) {
    log += String(chunk);
    if (log.includes('ready for connections')) {
      child.stderr?.resume();
      return;
    }
  }
  throw new Error(`Cannot start MariaDB: it said\n${log}`);
}

async function fill(socketPath: string): Promise<void> {
  const root = await createConnection({ socketPath, user: 'root' });
  await root.query("create user page@'127.0.0.1' identified by 'secret'");
  for (const database of ['blue', 'green']) {
    await root.query(`create database ${database}`);
    await root.query(`grant select on ${database}.* to page@'127.0.0.1'`);
    await root.query(`create table ${database}.greeting (text varchar(100))`);
    await root.query(`insert into ${database}.greeting values ('hello from ${database}')`);
  }
  await root.end();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
