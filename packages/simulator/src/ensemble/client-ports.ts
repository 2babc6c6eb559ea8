import type {
  ClientPorts,
  Clock,
  HostPort,
  Random,
  Stream,
  StreamHandler,
  TimerHandle,
  Transport,
} from '@meerkat/client';
import type { PeerStreamEvents, PeerStreamId } from '@meerkat/engine';
import type { ManualClock } from '../manual-clock.ts';
import { ProcessClock } from '../process-clock.ts';
import type { PeerFabric, SimulatedPeerNetwork } from '../simulated-peer-network.ts';

/** Hears what passes over one connection of a client, in both directions, before the client does. */
export interface ConnectionTap {
  /** The client's end of the stream has this number. */
  onDialled?(stream: PeerStreamId): void;
  onSent(bytes: Uint8Array): void;
  onReceived(bytes: Uint8Array): void;
  /** The client's end is over, whoever ended it. */
  onEnded(): void;
}

/** Makes a tap for each connection that a client opens to `server`. */
export type TapMaker = (server: HostPort) => ConnectionTap;

/** The ports of the client library's core on a simulated host of its own. */
export class SimulatedClientPorts implements ClientPorts, Clock, Transport {
  readonly clock: Clock = this;
  readonly transport: Transport = this;
  readonly random: Random;
  readonly process: ProcessClock;
  readonly network: SimulatedPeerNetwork;
  readonly #newTap: TapMaker;
  #endOfTurn: (() => void)[] = [];

  constructor(
    host: string,
    options: { clock: ManualClock; fabric: PeerFabric; random: Random; process?: ProcessClock },
    newTap: TapMaker,
  ) {
    this.random = options.random;
    this.process = options.process ?? new ProcessClock(options.clock);
    this.network = options.fabric.networkOf(host, this.process);
    this.network.onTurnEnd = () => this.#runEndOfTurn();
    this.#newTap = newTap;
  }

  /** The process is gone. */
  crash(): void {
    this.process.stop();
    this.network.crash();
  }

  nowMs(): number {
    return this.process.monotonicMs();
  }

  startTimer(delayMs: number, callback: () => void): TimerHandle {
    return this.process.after(delayMs, () => {
      callback();
      this.#runEndOfTurn();
    });
  }

  cancelTimer(handle: TimerHandle): void {
    this.process.cancelTimer(handle as number);
  }

  endOfTurn(callback: () => void): void {
    this.#endOfTurn.push(callback);
  }

  /** Does something as the client's process would, and ends the turn. */
  run(action: () => void): void {
    action();
    this.#runEndOfTurn();
  }

  dial(server: HostPort, handler: StreamHandler): Stream {
    return new SimulatedStream(this.network, server, handler, this.#newTap(server));
  }

  #runEndOfTurn(): void {
    while (this.#endOfTurn.length > 0) {
      const callbacks = this.#endOfTurn;
      this.#endOfTurn = [];
      for (const callback of callbacks) callback();
    }
  }
}

/** One stream of a client to a member. */
class SimulatedStream implements Stream, PeerStreamEvents {
  readonly #network: SimulatedPeerNetwork;
  readonly #handler: StreamHandler;
  readonly #tap: ConnectionTap;
  readonly #id: PeerStreamId;
  #isOver = false;

  constructor(
    network: SimulatedPeerNetwork,
    server: HostPort,
    handler: StreamHandler,
    tap: ConnectionTap,
  ) {
    this.#network = network;
    this.#handler = handler;
    this.#tap = tap;
    this.#id = network.dial(server, dialTimeoutMs, this);
    tap.onDialled?.(this.#id);
  }

  get unsentBytes(): number {
    return this.#network.unsentBytes(this.#id);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    this.#tap.onSent(bytes);
    return this.#network.send(this.#id, bytes, 0, bytes.length);
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tap.onEnded();
    this.#network.close(this.#id);
  }

  onPeerOpened(): void {
    if (!this.#isOver) this.#handler.onOpen();
  }

  onPeerBytes(_stream: PeerStreamId, bytes: Uint8Array, start: number, end: number): void {
    if (this.#isOver) return;
    // Nobody else has what the network delivers.
    const own = bytes.subarray(start, end);
    this.#tap.onReceived(own);
    this.#handler.onBytes(own);
  }

  onPeerDrained(): void {
    if (!this.#isOver) this.#handler.onDrained();
  }

  onPeerClosed(_stream: PeerStreamId, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tap.onEnded();
    this.#handler.onClosed(reason === 'closed by the peer' ? null : new Error(reason));
  }
}

/** The client's core gives an attempt up long before. */
const dialTimeoutMs = 120_000;
