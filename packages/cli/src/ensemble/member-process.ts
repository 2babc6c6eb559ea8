import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { MemberPlan } from './ensemble-plan.ts';

/** What becomes of a server's process. */
export interface MemberListener {
  /** A line that it has written. */
  onLine(id: number, line: string): void;
  /** It has ended although nobody stopped it; in `restartMs` it is started again, never when that is null. */
  onDied(id: number, ending: string, restartMs: number | null): void;
}

/** The script that npm links as `meerkat`. */
const launcher = fileURLToPath(new URL('../../bin/meerkat.js', import.meta.url));
/** The pause before a server that died is started again, ms. */
const restartMs = 1000;
/** One that lived shorter than this counts as having failed to start, ms. */
const shortLifeMs = 5000;
/** Failures to start in a row after which it is left alone. */
const failuresMax = 3;
/** Exit codes that another start would not change: arguments or configuration, data directory. */
const hopeless: ReadonlySet<number> = new Set([2, 3]);

/** One server of the ensemble: a child process that is started again when it dies. */
export class MemberProcess {
  readonly #plan: MemberPlan;
  readonly #listener: MemberListener;
  #child: ChildProcess | null = null;
  #restart: NodeJS.Timeout | null = null;
  #startedMs = 0;
  #failures = 0;
  #isStopping = false;

  constructor(plan: MemberPlan, listener: MemberListener) {
    this.#plan = plan;
    this.#listener = listener;
  }

  get id(): number {
    return this.#plan.id;
  }

  /** Null while it does not run. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Starts the process. */
  start(): void {
    this.#restart = null;
    this.#startedMs = performance.now();
    const args = ['server', '--log-format', 'pretty', '--log-level', 'info'];
    const child = spawn(process.execPath, [launcher, ...args, this.#plan.configurationPath], {
      // In a group of its own, or Ctrl-C would reach it before we can say so; with npx's mark it ends when we do.
      detached: true,
      env: { ...process.env, npm_lifecycle_event: 'npx' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#listener.onLine(this.id, line);
      });
    }
    child.once('error', (error) => this.#onEnded(child, error.message, null));
    child.once('exit', (code, signal) => {
      this.#onEnded(child, signal === null ? `exit code ${code}` : signal, code);
    });
    this.#child = child;
  }

  /** Ends the process in an orderly way; when that lasts `patienceMs`, at once. */
  async stop(patienceMs: number): Promise<void> {
    this.#isStopping = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    const child = this.#child;
    if (child === null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await ended;
    clearTimeout(timer);
  }

  #onEnded(child: ChildProcess, ending: string, code: number | null): void {
    if (this.#child !== child) return;
    this.#child = null;
    if (this.#isStopping) return;
    const wasShort = performance.now() - this.#startedMs < shortLifeMs;
    this.#failures = wasShort ? this.#failures + 1 : 0;
    const isOver = this.#failures >= failuresMax || (code !== null && hopeless.has(code));
    if (!isOver) this.#restart = setTimeout(() => this.start(), restartMs);
    this.#listener.onDied(this.id, ending, isOver ? null : restartMs);
  }
}
