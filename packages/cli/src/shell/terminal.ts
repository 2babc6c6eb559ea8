import { createInterface, type Interface } from 'node:readline';
import { callbackify } from 'node:util';
import { completeLine } from './completion.ts';
import type { Shell } from './shell.ts';

/** Lines that the arrow keys go back to. */
const linesRemembered = 1000;

/** The terminal that a shell is typed into. */
export class Terminal {
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  #readline: Interface | undefined;
  #shell: Shell | undefined;
  /** Whether the prompt is shown and a line is being typed. */
  #isTyping = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  /** Reads and runs lines until `quit`, Ctrl-D or Ctrl-C. */
  run(shell: Shell): Promise<void> {
    const readline = createInterface({
      input: this.#input,
      output: this.#output,
      historySize: linesRemembered,
      completer: callbackify((line: string) => completeLine(line, shell.client)),
    });
    this.#readline = readline;
    this.#shell = shell;
    return new Promise((resolve, reject) => {
      // Lines that are pasted wait for their turn.
      let work = Promise.resolve();
      const ask = (): void => {
        readline.setPrompt(shell.prompt);
        readline.prompt();
        this.#isTyping = true;
      };
      readline.on('line', (line) => {
        this.#isTyping = false;
        work = work.then(async () => {
          if (shell.isOver) return;
          await shell.executeLine(line);
          if (shell.isOver) readline.close();
          else ask();
        });
        work.catch(reject);
      });
      readline.on('SIGINT', () => readline.close());
      readline.once('close', () => {
        if (this.#isTyping) this.#output.write('\n');
        this.#isTyping = false;
        resolve();
      });
      ask();
    });
  }

  /** Writes text; while a line is being typed it goes above it. */
  write(text: string): void {
    if (!this.#isTyping) {
      this.#output.write(text);
      return;
    }
    this.#output.write(`\r\u001b[K${text}`);
    // What is written is often that the state has changed, which the prompt shows.
    if (this.#shell !== undefined) this.#readline?.setPrompt(this.#shell.prompt);
    this.#readline?.prompt(true);
  }
}
