import type { Limits } from '../limits.ts';
import type { Network } from '../ports.ts';
import { type ClientConnection, ConnectionPhase } from './client-connection.ts';

/** What all connections together have under way. */
export interface Load {
  /** Requests that are not answered yet. */
  readonly inProcess: number;
  /** Bytes of transactions that are not durable yet. */
  readonly pendingBytes: number;
}

/**
 * Which connections are not read from, since they have more under way than they may. Owns the rule
 * (ZooKeeper's `globalOutstandingLimit`, and three bounds of ours); refuses to close anybody.
 */
export class Backpressure {
  readonly #network: Network;
  readonly #limits: Limits;
  readonly #load: Load;
  readonly #paused = new Set<ClientConnection>();
  /** What waits for slow clients, all together; those are paused. */
  #slowBytes = 0;

  constructor(network: Network, limits: Limits, load: Load) {
    this.#network = network;
    this.#limits = limits;
    this.#load = load;
  }

  /** Looks at a connection that has just been heard: over the limits it is not read any further. */
  check(connection: ClientConnection): void {
    const outstanding = connection.pendingWrites + connection.deferredCount;
    if (outstanding === 0) return;
    if (!this.#hasRoom() || this.#isOverfull(connection)) this.pause(connection);
  }

  /** Stops reading from a connection until it has caught up. */
  pause(connection: ClientConnection): void {
    if (connection.paused || connection.phase === ConnectionPhase.closed) return;
    connection.paused = true;
    this.#paused.add(connection);
    this.#network.setReading(connection.id, false);
  }

  /** The end of a turn: goes on with those who have caught up. */
  resume(): void {
    if (this.#paused.size === 0) return;
    const hasRoom = this.#hasRoom();
    for (const connection of this.#paused) {
      this.#noteSlow(connection, this.#network.unsentBytes(connection.id));
      const idle = connection.pendingWrites + connection.deferredCount === 0;
      if ((!hasRoom && !idle) || this.#isOverfull(connection) || connection.slowBytes > 0) continue;
      connection.paused = false;
      this.#paused.delete(connection);
      this.#network.setReading(connection.id, true);
    }
  }

  /** Whether anybody is not read from. */
  get awaitsReaders(): boolean {
    return this.#paused.size > 0;
  }

  /** The connection is gone. */
  forget(connection: ClientConnection): void {
    this.#paused.delete(connection);
    this.#noteSlow(connection, 0);
  }

  /** Whether the client takes its replies more slowly than it asks. */
  isSlow(connection: ClientConnection): boolean {
    return this.#network.unsentBytes(connection.id) > this.#limits.unreadBytesMax;
  }

  #hasRoom(): boolean {
    const { outstandingRequestsMax, pendingBytesMax } = this.#limits;
    const { inProcess, pendingBytes } = this.#load;
    return inProcess <= outstandingRequestsMax && pendingBytes <= pendingBytesMax;
  }

  /**
   * Whether a client for which so many bytes wait, after something was sent to it, has to be cut: it alone
   * lets too much wait, or it is one of many that together do.
   */
  mustCut(connection: ClientConnection, unsentBytes: number): boolean {
    this.#noteSlow(connection, unsentBytes);
    const { unsentBytesMax, unsentTotalBytesMax } = this.#limits;
    if (unsentBytes > unsentBytesMax) return true;
    return connection.slowBytes > 0 && this.#slowBytes > unsentTotalBytesMax;
  }

  #noteSlow(connection: ClientConnection, unsentBytes: number): void {
    const slowBytes = unsentBytes > this.#limits.unreadBytesMax ? unsentBytes : 0;
    this.#slowBytes += slowBytes - connection.slowBytes;
    connection.slowBytes = slowBytes;
  }

  #isOverfull(connection: ClientConnection): boolean {
    return (connection.deferred?.size ?? 0) > this.#limits.deferredBytesMax;
  }
}
