import { Shell } from '../shell/shell.ts';
import { connectedState, ScriptedClient } from './scripted-client.ts';

/** A shell on scripted clients, and everything it has written. */
export class ShellScript {
  readonly shell: Shell;
  /** The clients opened, the last one in use. */
  readonly clients: ScriptedClient[] = [];
  #out = '';
  #err = '';

  private constructor() {
    this.shell = new Shell('zoo:2181', {
      open: () => {
        const client = new ScriptedClient();
        this.clients.push(client);
        return client;
      },
      write: (text) => {
        this.#out += text;
      },
      writeError: (text) => {
        this.#err += text;
      },
    });
  }

  /** A shell that is connected. */
  static async start(): Promise<ShellScript> {
    const script = new ShellScript();
    await script.shell.connect();
    script.client.change(connectedState);
    script.take();
    return script;
  }

  get client(): ScriptedClient {
    return this.clients.at(-1) as ScriptedClient;
  }

  /** Runs lines, and returns what was written since the last time. */
  async run(...lines: readonly string[]): Promise<{ out: string; err: string; exitCode: number }> {
    for (const line of lines) await this.shell.executeLine(line);
    return this.take();
  }

  take(): { out: string; err: string; exitCode: number } {
    const written = { out: this.#out, err: this.#err, exitCode: this.shell.exitCode };
    this.#out = '';
    this.#err = '';
    return written;
  }
}
