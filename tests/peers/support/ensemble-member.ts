import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { track } from './child-processes.ts';
import { fourLetterWord } from './four-letter-words.ts';
import { meerkatPath } from './paths.ts';
import { zooKeeperClassPath } from './peers.ts';
import { until } from './until.ts';

/** Whose program a member runs. */
export type MemberKind = 'java' | 'meerkat';

/** What a member answers to `srvr`; `none` while it serves nobody or does not run. */
export type MemberMode = 'leader' | 'follower' | 'observer' | 'read-only' | 'none';

/** What a learner logs when the leader says how it is synchronised: Java's words, then ours. */
const syncTexts =
  /Getting a diff from|Getting a snapshot from|Truncating log to get in sync|sync="?(DIFF|TRUNC|SNAP)/g;

/** Where one member is and what it is configured with. */
export interface MemberPlace {
  readonly id: number;
  readonly role: 'participant' | 'observer';
  /** Holds zoo.cfg and the folder `data`. */
  readonly directory: string;
  readonly clientPort: number;
  /** The address that clients reach it at; 127.0.0.1 unless given. */
  readonly host?: string;
  /** The command and arguments that start its command, and become it: those that put it into a network of its own. */
  readonly launcher?: readonly [string, ...string[]];
  /** Lines of zoo.cfg, `server.N` and all, but for the directories and the client port. */
  readonly lines: readonly string[];
}

/** One member of an ensemble: a directory and ports, and a process of either kind that runs there. */
export class EnsembleMember {
  readonly place: MemberPlace;
  /** Takes effect with the next start. */
  kind: MemberKind;
  #process: ChildProcess | null = null;
  #log = '';

  constructor(kind: MemberKind, place: MemberPlace) {
    this.kind = kind;
    this.place = place;
    mkdirSync(this.dataDirectory, { recursive: true });
    writeFileSync(join(this.dataDirectory, 'myid'), `${place.id}\n`);
    const lines = [
      `dataDir=${this.dataDirectory}`,
      `clientPort=${place.clientPort}`,
      `clientPortAddress=${this.host}`,
      ...place.lines,
    ];
    writeFileSync(this.#configurationPath, `${lines.join('\n')}\n`);
  }

  get id(): number {
    return this.place.id;
  }

  get name(): string {
    return `${this.kind} member ${this.id}`;
  }

  get host(): string {
    return this.place.host ?? '127.0.0.1';
  }

  get connectString(): string {
    return `${this.host}:${this.place.clientPort}`;
  }

  get dataDirectory(): string {
    return join(this.place.directory, 'data');
  }

  get isRunning(): boolean {
    const child = this.#process;
    return child !== null && child.exitCode === null && child.signalCode === null;
  }

  /** How the last process ended: its code or signal. */
  get ending(): number | NodeJS.Signals | null {
    return this.#process?.exitCode ?? this.#process?.signalCode ?? null;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the process; that it serves is for `untilMode` to see. */
  start(): void {
    if (this.isRunning) throw new Error(`Cannot start ${this.name}: it is running`);
    const [command, args] = launched(this.place.launcher, this.#commandLine());
    const child = track(
      spawn(command, args, { cwd: this.place.directory, stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    this.#log += startLine(this.name);
    const append = (chunk: Buffer): void => {
      this.#log += chunk.toString('utf8');
    };
    child.stdout.on('data', append);
    child.stderr.on('data', append);
    child.once('exit', (code, signal) => {
      this.#log += `--- ${this.name} ended: ${signal ?? code}\n`;
    });
    this.#process = child;
  }

  /** Ends the process in an orderly way and waits for it. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Ends the process as a power cut would and waits for it. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Waits until the process has ended by itself. */
  async ended(): Promise<void> {
    await until(`${this.name} ends`, () => !this.isRunning, { detail: () => this.logTail() });
  }

  /** Stops the process as a machine that hangs would; it stands still when this returns. */
  async pause(): Promise<void> {
    this.#process?.kill('SIGSTOP');
    await until(`${this.name} stands still`, () => isStopped(this.pid));
  }

  /** Lets a paused process go on. */
  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Removes logs, snapshots and epochs: the member remembers nothing but its id. */
  wipe(): void {
    if (this.isRunning) throw new Error(`Cannot wipe ${this.name}: it is running`);
    rmSync(join(this.dataDirectory, 'version-2'), { recursive: true, force: true });
  }

  /** Names of the files in version-2. */
  dataFiles(): readonly string[] {
    return readdirSync(join(this.dataDirectory, 'version-2')).sort();
  }

  /** The answer to a four-letter word; empty when there is none. */
  word(word: string): Promise<string> {
    return fourLetterWord(this.place.clientPort, word, 2_000, this.host).catch(() => '');
  }

  /** What the member is at the moment. */
  async mode(): Promise<MemberMode> {
    const mode = /^Mode: (.*)$/m.exec(await this.word('srvr'))?.[1];
    return (mode as MemberMode | undefined) ?? 'none';
  }

  /** The last transaction that the member has applied; -1 while it serves nobody. */
  async zxid(): Promise<number> {
    return Number(/^Zxid: (0x[0-9a-f]+)$/m.exec(await this.word('srvr'))?.[1] ?? -1);
  }

  /** Waits until the process answers at all, whether or not it serves. */
  untilUp(): Promise<unknown> {
    return this.until('is up', async () => (await this.word('ruok')) === 'imok');
  }

  /** Waits until the member serves in one of these modes. */
  untilMode(...modes: readonly MemberMode[]): Promise<MemberMode> {
    return this.until(`serves as ${modes.join(' or ')}`, async () => {
      const mode = await this.mode();
      return modes.includes(mode) && mode;
    });
  }

  /** Waits until the member serves, as what its role allows. */
  untilServing(): Promise<MemberMode> {
    return this.untilMode(
      ...(this.place.role === 'observer'
        ? ['observer' as const]
        : ['leader' as const, 'follower' as const]),
    );
  }

  /** Waits for something about this member; fails at once when its process has ended. */
  until<T>(what: string, condition: () => Promise<T | false | undefined>): Promise<T> {
    return until(
      `${this.name} ${what}`,
      async () => {
        const result = await condition();
        if (result === false && !this.isRunning) {
          throw new Error(`${this.name} has ended (${this.ending})\n${this.logTail()}`);
        }
        return result;
      },
      { detail: () => this.logTail() },
    );
  }

  /** Everything the processes have written. */
  get log(): string {
    return this.#log;
  }

  /** Waits until the member says how it last came to its state from a leader, in this life of its process. */
  untilSync(): Promise<'DIFF' | 'TRUNC' | 'SNAP'> {
    // It may serve before what it says has come through the pipe.
    return this.until('tells of its synchronisation', async () => {
      const life = this.#log.slice(this.#log.lastIndexOf(startLine(this.name)));
      const found = [...life.matchAll(syncTexts)].at(-1)?.[0];
      if (found === undefined) return false;
      if (/snapshot|SNAP/.test(found)) return 'SNAP';
      return /Truncating|TRUNC/.test(found) ? 'TRUNC' : 'DIFF';
    });
  }

  /** Last part of the log, for the message of a failing test. */
  logTail(charactersMax = 6000): string {
    return `--- log of ${this.name}\n${this.#log.slice(-charactersMax)}`;
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (child === null || !this.isRunning) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await ended;
  }

  get #configurationPath(): string {
    return join(this.place.directory, 'zoo.cfg');
  }

  #commandLine(): [string, string[]] {
    if (this.kind === 'meerkat') {
      const options = ['--log-format', 'pretty', '--log-level', 'info'];
      return [process.execPath, [meerkatPath, 'server', ...options, this.#configurationPath]];
    }
    return [
      'java',
      [
        '-Xmx256m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-Xshare:auto',
        '-cp',
        zooKeeperClassPath,
        'org.apache.zookeeper.server.quorum.QuorumPeerMain',
        this.#configurationPath,
      ],
    ];
  }
}

function launched(
  launcher: readonly [string, ...string[]] | undefined,
  [command, args]: [string, string[]],
): [string, string[]] {
  if (launcher === undefined) return [command, args];
  const [first, ...rest] = launcher;
  return [first, [...rest, command, ...args]];
}

/** Whether every thread of a process is stopped; where the system does not tell, that is taken for granted. */
function isStopped(pid: number | undefined): boolean {
  const tasks = `/proc/${pid}/task`;
  if (pid === undefined || !existsSync(tasks)) return true;
  return readdirSync(tasks).every((task) => {
    const state = /\) (\w) /.exec(readFileSync(join(tasks, task, 'stat'), 'latin1'))?.[1];
    return state === 'T' || state === 't';
  });
}

function startLine(name: string): string {
  return `--- ${name} starts\n`;
}
