import type { ConnectionState, WatchEvent } from '@meerkat/client';
import { CliError, describeError } from './cli-error.ts';
import { type CommandContext, parseWhole, runCommand, type ShellClient } from './command.ts';
import { ownCommands, shellCommands, usageText } from './command-table.ts';
import { splitWords } from './words.ts';

/** Commands that `history` shows before the last. */
const historyShown = 10;

/** What a shell runs with. */
export interface ShellPorts {
  /** Starts a client; it connects in the background. Throws when the connect string is none. */
  readonly open: (connectString: string) => ShellClient;
  /** Waits for the connection each time that one is opened; undefined: commands wait by themselves. */
  readonly waitForConnectionMs?: number;
  /** Writes to stdout. */
  readonly write: (text: string) => void;
  /** Writes to stderr. */
  readonly writeError: (text: string) => void;
  /** Makes the message of a failed command stand out. Default: it is written as it is. */
  readonly emphasize?: (message: string) => string;
}

/** zkCli without a terminal: runs lines and words, one at a time, and keeps what lasts between them. */
export class Shell {
  readonly #ports: ShellPorts;
  #host: string;
  #client: ShellClient | undefined;
  readonly #history = new Map<number, string>();
  #commandCount = 0;
  #printWatches = true;
  #ownsEphemerals = false;
  /** The status of the last command. */
  exitCode = 0;
  /** Set by `quit`: nothing more is to be run. */
  isOver = false;

  constructor(host: string, ports: ShellPorts) {
    this.#host = host;
    this.#ports = ports;
  }

  /** What stands before a line: the server, the state, the number of the command. */
  get prompt(): string {
    return `[zk: ${this.#host}(${this.#stateName()}) ${this.#commandCount}] `;
  }

  /** The client in use; undefined before `connect`. */
  get client(): ShellClient | undefined {
    return this.#client;
  }

  /** Whether the session has created ephemeral znodes, which its end would remove. */
  get ownsEphemerals(): boolean {
    return this.#ownsEphemerals;
  }

  /**
   * Opens a client, after closing the one before.
   *
   * @throws CliError when the connect string is none, or no server is found in time
   */
  async connect(host: string = this.#host): Promise<void> {
    if (this.#isAlive()) await this.#client?.close();
    this.#host = host;
    this.#ownsEphemerals = false;
    try {
      const client = this.#ports.open(host);
      this.#client = client;
      client.onState((state) => this.#onState(client, state));
      const timeoutMs = this.#ports.waitForConnectionMs;
      if (timeoutMs !== undefined) await client.connected({ timeoutMs });
    } catch (error) {
      throw new CliError(describeError(error));
    }
  }

  /** Prints no more events: what follows is the end. */
  muteWatches(): void {
    this.#printWatches = false;
  }

  /** Runs a line of input and remembers it; a blank one is nothing. */
  async executeLine(line: string): Promise<void> {
    const words = splitWords(line);
    if (words.length === 0) return;
    this.#history.set(this.#commandCount, line);
    await this.execute(words);
    this.#commandCount++;
  }

  /** Runs a command; a failure is printed and becomes the exit code. */
  async execute(words: readonly string[]): Promise<void> {
    try {
      this.exitCode = await this.#run(words);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      this.exitCode = error.exitCode;
      this.#err(this.#ports.emphasize?.(error.message) ?? error.message);
    }
  }

  /** Runs a command and returns its exit code. */
  async #run(words: readonly string[]): Promise<number> {
    const [name = '', first] = words;
    const command = shellCommands.get(name);
    if (command === undefined && !ownCommands.has(name)) {
      this.#err(usageText());
      throw new CliError(`Command not found: Command not found ${name}`, 127);
    }
    if (name === 'quit' || name === 'exit') {
      await this.#client?.close();
      this.isOver = true;
      return this.exitCode;
    }
    if (name === 'redo' && first !== undefined) return this.#redo(first);
    if (name === 'history') this.#showHistory();
    else if (name === 'printwatches') this.#setPrintWatches(first);
    else if (name === 'connect') await this.connect(first);
    if (!this.#isAlive()) this.#out('Not connected');
    else if (command !== undefined) await runCommand(command, words, this.#context());
    return 0;
  }

  async #redo(text: string): Promise<number> {
    const index = parseWhole(text);
    if (index === undefined || index < 0 || index >= this.#commandCount) {
      throw new CliError('Command index out of range');
    }
    const line = this.#history.get(index) ?? '';
    const words = splitWords(line);
    if (words[0] === 'redo') throw new CliError('No redoing redos');
    this.#history.set(this.#commandCount, line);
    await this.execute(words);
    return this.exitCode;
  }

  #showHistory(): void {
    for (let i = this.#commandCount - historyShown; i <= this.#commandCount; i++) {
      if (i >= 0) this.#out(`${i} - ${this.#history.get(i) ?? null}`);
    }
  }

  #setPrintWatches(value: string | undefined): void {
    if (value === undefined) this.#out(`printwatches is ${this.#printWatches ? 'on' : 'off'}`);
    else this.#printWatches = value === 'on';
  }

  #context(): CommandContext {
    return {
      client: this.#client as ShellClient,
      watcher: this.#watcher,
      out: (line) => this.#out(line),
      write: (text) => this.#ports.write(text),
      err: (line) => this.#err(line),
      noteEphemeral: () => {
        this.#ownsEphemerals = true;
      },
    };
  }

  /** One function for all watches: set twice on a znode, it is told once. */
  readonly #watcher = ({ type, path, zxid }: WatchEvent): void => {
    // What ended the session is printed as a change of state.
    if (type === 'sessionEnded') return;
    const name = type.charAt(0).toUpperCase() + type.slice(1);
    this.#printEvent(`state:SyncConnected type:${name} path:${path} zxid: ${zxid}`);
  };

  #onState(client: ShellClient, state: ConnectionState): void {
    if (client !== this.#client) return;
    const name = eventStates[state.status];
    if (name !== undefined) this.#printEvent(`state:${name} type:None path:null zxid: -1`);
  }

  #printEvent(text: string): void {
    if (this.#printWatches) this.#ports.write(`\nWATCHER::\n\nWatchedEvent ${text}\n`);
  }

  #isAlive(): boolean {
    const name = this.#stateName();
    return this.#client !== undefined && name !== 'CLOSED' && name !== 'AUTH_FAILED';
  }

  #stateName(): string {
    return this.#client === undefined ? 'NOT_CONNECTED' : stateNames[this.#client.state.status];
  }

  #out(line: string): void {
    this.#ports.write(`${line}\n`);
  }

  #err(line: string): void {
    this.#ports.writeError(`${line}\n`);
  }
}

/** The states of Java's client (`ZooKeeper.States`) that ours correspond to. */
const stateNames: Readonly<Record<ConnectionState['status'], string>> = {
  connecting: 'CONNECTING',
  connected: 'CONNECTED',
  connectedReadOnly: 'CONNECTEDREADONLY',
  disconnected: 'CONNECTING',
  expired: 'CLOSED',
  closed: 'CLOSED',
  authFailed: 'AUTH_FAILED',
};

/** The events that Java's client makes of changes of state (`Watcher.Event.KeeperState`). */
const eventStates: Readonly<Partial<Record<ConnectionState['status'], string>>> = {
  connected: 'SyncConnected',
  connectedReadOnly: 'ConnectedReadOnly',
  disconnected: 'Disconnected',
  expired: 'Expired',
  closed: 'Closed',
  authFailed: 'AuthFailed',
};
