import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { track } from './child-processes.ts';
import { fourLetterWord } from './four-letter-words.ts';
import { temporaryDirectory } from './paths.ts';
import { zooKeeperClassPath } from './peers.ts';
import { freePort } from './server-under-test.ts';

/** One Java member of an ensemble, in a process of its own. */
export class JavaMember {
  readonly id: number;
  readonly #directory: string;
  readonly #clientPort: number;
  #process: ChildProcess | null = null;
  #log = '';

  /** @param serverLines the `server.N` lines of the ensemble; any other lines of zoo.cfg may follow */
  static async create(id: number, serverLines: readonly string[]): Promise<JavaMember> {
    return new JavaMember(id, serverLines, await freePort());
  }

  private constructor(id: number, serverLines: readonly string[], clientPort: number) {
    this.id = id;
    this.#clientPort = clientPort;
    this.#directory = temporaryDirectory(`java-member-${id}`);
    const dataDir = join(this.#directory, 'data');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'myid'), `${id}\n`);
    const lines = [
      `dataDir=${dataDir}`,
      `clientPort=${clientPort}`,
      'tickTime=500',
      'initLimit=20',
      'syncLimit=10',
      'admin.enableServer=false',
      '4lw.commands.whitelist=*',
      ...serverLines,
    ];
    writeFileSync(join(this.#directory, 'zoo.cfg'), `${lines.join('\n')}\n`);
  }

  /** Where clients connect. */
  get connectString(): string {
    return `127.0.0.1:${this.#clientPort}`;
  }

  /** The directory of its logs and snapshots. */
  get version2Directory(): string {
    return join(this.#directory, 'data', 'version-2');
  }

  /** Starts the process; that it serves is for `untilMode` to see. */
  start(): void {
    const child = track(
      spawn(
        'java',
        [
          '-Xmx256m',
          '-XX:+UseSerialGC',
          '-XX:TieredStopAtLevel=1',
          '-Xshare:auto',
          '-cp',
          zooKeeperClassPath,
          'org.apache.zookeeper.server.quorum.QuorumPeerMain',
          join(this.#directory, 'zoo.cfg'),
        ],
        { cwd: this.#directory, stdio: ['ignore', 'pipe', 'pipe'] },
      ),
    );
    const append = (chunk: Buffer): void => {
      this.#log += chunk.toString('utf8');
    };
    child.stdout.on('data', append);
    child.stderr.on('data', append);
    this.#process = child;
  }

  /** Kills the process (SIGKILL) and waits for its end. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    await ended;
  }

  /** Waits until the member serves in this mode: `leader`, `follower`, `observer`. */
  untilMode(mode: string): Promise<void> {
    return this.#until(`serves as ${mode}`, async () => {
      const answer = await fourLetterWord(this.#clientPort, 'srvr').catch(() => '');
      return answer.includes(`Mode: ${mode}`);
    });
  }

  /** Waits until the log has this text, and forgets the log up to there. */
  untilLogged(text: string): Promise<void> {
    return this.#until(`logs ${text}`, () => {
      const at = this.#log.indexOf(text);
      if (at >= 0) this.#log = this.#log.slice(at + text.length);
      return Promise.resolve(at >= 0);
    });
  }

  /** Last part of the log, for the message of a failing test. */
  logTail(charactersMax = 8000): string {
    return this.#log.slice(-charactersMax);
  }

  async #until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + 60_000;
    while (!(await isTrue())) {
      if (performance.now() > deadlineMs || this.#process?.exitCode !== null) {
        throw new Error(`Java member ${this.id} never ${what}\n${this.logTail()}`);
      }
      // Nothing tells when a foreign server has come so far; it is asked.
      await delay(20);
    }
  }
}
