import { isFinal, open, type ZooKeeper, ZooKeeperError } from '@meerkat/client';
import { SimulatedClientPorts } from '../ensemble/client-ports.ts';
import type { FaultyClient } from '../ensemble/fault.ts';
import { Violation } from '../ensemble/violation.ts';
import type { ManualClock } from '../manual-clock.ts';
import { ProcessClock } from '../process-clock.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { PeerFabric } from '../simulated-peer-network.ts';

/** What a process lives in. */
export interface RecipeProcessHost {
  readonly clock: ManualClock;
  readonly fabric: PeerFabric;
  /** The client's process does something: promises may have to be settled before the next event. */
  touch(): void;
  /** Runs at the end of the turn, once the promises of the present event are settled. */
  atEndOfTurn(process: ProcessClock, callback: () => void): void;
  say(text: string): void;
  fail(error: unknown): void;
}

/** What one life of a process does; ends when it has nothing more to do, or with the error that its session ended with. */
export type Life = (process: RecipeProcess) => Promise<void>;

/**
 * One process that uses recipes, life after life: a ZooKeeper client of its own on a host of its own. When its session
 * ends it starts again with a new client, as a supervisor would have it.
 */
export class RecipeProcess implements FaultyClient {
  readonly name: string;
  readonly host: string;
  readonly random: SeededRandom;
  lives = 0;
  /** How often it lost a connection or its life. */
  interruptions = 0;
  readonly #host: RecipeProcessHost;
  readonly #options: { servers: string; sessionTimeoutMs: () => number; life: Life };
  #ports: RecipeClientPorts | null = null;
  #zk: ZooKeeper | null = null;
  #isEnding = false;

  constructor(
    number: number,
    host: RecipeProcessHost,
    random: SeededRandom,
    options: { servers: string; sessionTimeoutMs: () => number; life: Life },
  ) {
    this.name = `p${number}`;
    this.host = `10.0.0.${number}`;
    this.random = random;
    this.#host = host;
    this.#options = options;
  }

  /** The client of this life. */
  get zk(): ZooKeeper {
    if (this.#zk === null) throw new Error(`${this.name} does not live`);
    return this.#zk;
  }

  get isUp(): boolean {
    return this.#zk !== null;
  }

  /** Whether a server serves the session. */
  get isConnected(): boolean {
    return this.#zk?.state.status === 'connected';
  }

  /** The name, with the number of the life. */
  get alias(): string {
    return `${this.name}.${this.lives}`;
  }

  /** Whether its session is over, or was told to end. */
  get isEnding(): boolean {
    return this.#isEnding || this.#zk === null || isFinal(this.#zk.state);
  }

  /** Starts it, if it does not run. */
  start(): void {
    if (this.#zk !== null) return;
    const host = this.#host;
    const { servers, sessionTimeoutMs, life } = this.#options;
    this.lives += 1;
    this.#isEnding = false;
    const ports = new RecipeClientPorts(this.host, host, this.random);
    this.#ports = ports;
    host.touch();
    const zk = open(servers, {
      ports,
      sessionTimeoutMs: sessionTimeoutMs(),
      retryDelayMs: 300,
      reconnectJitterMs: 200,
      onListenerError: (error) => host.fail(error),
    });
    this.#zk = zk;
    host.say(`${this.alias} starts`);
    zk.onState((state) => {
      host.say(`${this.alias} is ${state.status}`);
      if (state.status === 'disconnected') this.interruptions += 1;
    });
    life(this).then(
      () => host.say(`${this.alias} has nothing more to do`),
      (error: unknown) => this.#onEnd(zk, error),
    );
  }

  crash(): void {
    if (this.#zk === null) return;
    this.interruptions += 1;
    this.#ports?.crash();
    this.#zk = null;
    this.#ports = null;
    const delayMs = this.random.below(3000);
    this.#host.clock.after(delayMs, () => this.start());
  }

  standStill(ms: number): void {
    this.#ports?.process.standStill(ms);
  }

  /** It ends its session in the middle of what it does. */
  endSession(): void {
    this.#host.touch();
    this.#isEnding = true;
    this.#zk?.close().catch((error: unknown) => this.#host.fail(error));
  }

  /** Waits, by its own clock. */
  sleep(ms: number): Promise<void> {
    const { zk } = this;
    return new Promise((resolve) => {
      zk.ports.clock.startTimer(ms, resolve);
    });
  }

  /** Makes a persistent znode, unless it is there. */
  async ensure(path: string, data = ''): Promise<void> {
    await this.untilAnswered(async () => {
      try {
        await this.zk.create(path, data);
      } catch (error) {
        if (!(error instanceof ZooKeeperError) || error.name !== 'NodeExistsError') throw error;
      }
    });
  }

  /** Makes a call again until it is answered. */
  async untilAnswered<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!isInterruption(error)) throw error;
      }
      await this.zk.connected();
    }
  }

  #onEnd(zk: ZooKeeper, error: unknown): void {
    if (this.#zk !== zk) return;
    if (error instanceof Violation || !isEnd(error)) {
      this.#host.fail(error);
      return;
    }
    this.#host.say(`${this.alias} ends with ${(error as Error).name}`);
    this.crash();
  }
}

/** Whether a call failed because the connection was lost: what it asked may have happened. */
export function isInterruption(error: unknown): boolean {
  return error instanceof ZooKeeperError && error.name === 'ConnectionLossError';
}

/** Whether an error says that the session is over. */
export function isEnd(error: unknown): boolean {
  return error instanceof ZooKeeperError && error.name === 'SessionExpiredError';
}

/** The clock of such a process: says when the process does something. */
class TouchingClock extends ProcessClock {
  readonly #touch: () => void;

  constructor(clock: ManualClock, touch: () => void) {
    super(clock);
    this.#touch = touch;
  }

  override after(delayMs: number, action: () => void): number {
    return super.after(delayMs, () => {
      this.#touch();
      action();
    });
  }
}

/** As the ports of a client's core; but a turn ends when the promises that it settled have been dealt with. */
class RecipeClientPorts extends SimulatedClientPorts {
  readonly #host: RecipeProcessHost;

  constructor(name: string, host: RecipeProcessHost, random: SeededRandom) {
    const process = new TouchingClock(host.clock, () => host.touch());
    const { clock, fabric } = host;
    super(name, { clock, fabric, random, process }, () => nobody);
    this.#host = host;
    this.network.onTurnEnd = null;
  }

  override endOfTurn(callback: () => void): void {
    this.#host.atEndOfTurn(this.process, callback);
  }
}

const nobody = { onSent: () => {}, onReceived: () => {}, onEnded: () => {} };
