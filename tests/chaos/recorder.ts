import { closeSync, openSync, writeSync } from 'node:fs';

/** How much is kept before it is written, characters. */
const keptCharactersMax = 256 * 1024;

/** Writes down what happens, one line of JSON for each, in the order in which this process sees it. */
export class Recorder {
  readonly #file: number;
  readonly #onExit = (): void => this.close();
  #lines: string[] = [];
  #characters = 0;
  #connections = 0;
  #isOpen = true;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
    process.once('exit', this.#onExit);
  }

  /** Now, ms since 1970, going forward only. */
  static nowMs(): number {
    return Math.round((performance.timeOrigin + performance.now()) * 1000) / 1000;
  }

  /** Adds a line; 64-bit numbers are written in hexadecimal, bytes as text. */
  note(entry: object): void {
    if (!this.#isOpen) return;
    const line = JSON.stringify({ at: Recorder.nowMs(), ...entry }, plainly);
    this.#lines.push(line);
    this.#characters += line.length;
    if (this.#characters > keptCharactersMax) this.flush();
  }

  /** The number of a new connection. */
  nextConnection(): number {
    this.#connections += 1;
    return this.#connections;
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    writeSync(this.#file, `${this.#lines.join('\n')}\n`);
    this.#lines = [];
    this.#characters = 0;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.flush();
    this.#isOpen = false;
    process.removeListener('exit', this.#onExit);
    closeSync(this.#file);
  }
}

function plainly(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `0x${BigInt.asUintN(64, value).toString(16)}`;
  return value instanceof Uint8Array ? Buffer.from(value).toString() : value;
}
