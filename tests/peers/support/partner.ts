import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { track } from './child-processes.ts';

/**
 * A program of another language that does what it is told, line by line: one line asks, one line answers. A command that
 * waits answers when it is done; commands are dealt with one after the other.
 */
export class Partner {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string, void>;
  #last: Promise<unknown> = Promise.resolve();
  #stderr = '';

  private constructor(command: string, args: readonly string[]) {
    const child = track(spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] }));
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr += chunk.toString('utf8');
    });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Starts the program, runs `use` once it says `ready`, and kills it afterwards. */
  static async with<T>(
    command: string,
    args: readonly string[],
    use: (partner: Partner) => Promise<T>,
  ): Promise<T> {
    const partner = new Partner(command, args);
    try {
      const line = await partner.#next();
      if (line !== 'ready') throw new Error(`the partner said ${line}`);
      return await use(partner);
    } finally {
      await partner.#kill();
    }
  }

  /** Asks for something and waits for the answer. */
  ask(...words: readonly (string | number)[]): Promise<string> {
    const asked = this.#last.then(() => {
      this.#child.stdin?.write(`${words.join(' ')}\n`);
      return this.#next();
    });
    this.#last = asked.catch(() => {});
    return asked;
  }

  async #kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #next(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error(`the partner has ended\n${this.#stderr}`);
    const { value } = next;
    if (value.startsWith('error ')) throw new Error(`${value}\n${this.#stderr}`);
    return value;
  }
}
