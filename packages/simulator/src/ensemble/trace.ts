import type { ManualClock } from '../manual-clock.ts';

/** What happened, one line each. Owns a number over all of it, which is the same only when everything was. */
export class Trace {
  /** The latest lines, the last one last. */
  readonly lines: string[] = [];
  /** Called with every line. */
  onLine: (line: string) => void = () => {};
  readonly #clock: ManualClock;
  #hash = 0x811c9dc5;
  #count = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  /** The number, with how many lines there were. */
  get hash(): string {
    return `${this.#count}-${(this.#hash >>> 0).toString(16).padStart(8, '0')}`;
  }

  say(text: string): void {
    const line = `${(this.#clock.monotonicMs() / 1000).toFixed(3)} ${text}`;
    let hash = this.#hash;
    for (let i = 0; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), 0x01000193);
    this.#hash = hash;
    this.#count += 1;
    this.lines.push(line);
    if (this.lines.length > linesKept * 2) this.lines.splice(0, linesKept);
    this.onLine(line);
  }
}

const linesKept = 2000;
