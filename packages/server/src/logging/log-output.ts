/**
 * Where log lines go: a file descriptor, whose reader may be slow, stand still or be gone. Owns what waits for it, up
 * to a bound; refuses to hold up the server for it, or the end of the process.
 */
import { write, writeSync } from 'node:fs';

/** How an output is made. */
export interface LogOutputOptions {
  readonly fd: number;
  /** Bytes that may wait for a slow reader; lines on top of that are dropped. */
  readonly waitingBytesMax: number;
  /** How long `flush` tries while the reader does not read, ms. */
  readonly flushMs: number;
}

/** A descriptor that takes log lines, in the background. Once it fails, because nobody reads it, it takes none. */
export class LogOutput {
  readonly #options: LogOutputOptions;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** What the system is writing now. */
  #underWay: Buffer | null = null;
  #underWaySinceMs = 0;
  #isScheduled = false;
  #isGone = false;

  constructor(options: LogOutputOptions) {
    this.#options = options;
  }

  /** Takes whole lines. */
  write(lines: string): void {
    if (this.#isGone) return;
    const bytes = Buffer.from(lines);
    if (this.#waitingBytes + bytes.length > this.#options.waitingBytesMax) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#schedule();
  }

  /** Writes what waits before it returns, unless nobody reads it: the process is about to end. */
  flush(): void {
    const { fd, flushMs } = this.#options;
    const beganMs = performance.now();
    // A write that has not come back for so long would not be the only one.
    if (this.#underWay !== null && beganMs - this.#underWaySinceMs > flushMs) return;
    let bytes = this.#takeWaiting();
    while (bytes.length > 0 && !this.#isGone) {
      try {
        bytes = bytes.subarray(writeSync(fd, bytes));
      } catch (error) {
        if (!isFull(error)) this.#giveUp();
        else if (performance.now() - beganMs > flushMs) return;
        else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
      }
    }
  }

  /** Lines of one turn leave together, and behind it: a `flush` in the same turn finds all of them. */
  #schedule(): void {
    if (this.#isScheduled || this.#underWay !== null || this.#waitingBytes === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#underWay !== null || this.#waitingBytes === 0) return;
      this.#underWay = this.#takeWaiting();
      this.#underWaySinceMs = performance.now();
      this.#writeOn(this.#underWay);
    });
  }

  #writeOn(bytes: Buffer): void {
    write(this.#options.fd, bytes, (error, written) => {
      if (error !== null && !isFull(error)) {
        this.#giveUp();
        return;
      }
      const rest = error === null ? bytes.subarray(written) : bytes;
      if (rest.length > 0) {
        const again = (): void => this.#writeOn(rest);
        if (error === null) again();
        else setTimeout(again, pauseMs).unref();
        return;
      }
      this.#underWay = null;
      this.#schedule();
    });
  }

  #takeWaiting(): Buffer {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  #giveUp(): void {
    this.#isGone = true;
    this.#underWay = null;
    this.#takeWaiting();
  }
}

/** Whether the reader is only slow. */
function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EBUSY' || code === 'EINTR';
}

/** How long a full pipe is left alone, ms. */
const pauseMs = 20;
