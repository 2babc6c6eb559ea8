import type { ConnectionId } from '../ports.ts';
import type { Session } from '../sessions/session.ts';
import type { WatchTable } from '../watches/watch-table.ts';
import { ClientConnection, ConnectionPhase } from './client-connection.ts';

/**
 * All client connections of the replica. Owns their slots, the small numbers that watches know
 * them by, and which connection a session uses. Refuses to close anything: that is the network's.
 */
export class ConnectionTable {
  readonly #byId = new Map<ConnectionId, ClientConnection>();
  readonly #bySlot: (ClientConnection | null)[] = [];
  readonly #bySession = new Map<Session, ClientConnection>();
  readonly #freeSlots: number[] = [];
  /** Slots of closed connections whose watches have not all been removed. */
  readonly #leaving: number[] = [];
  readonly #watches: WatchTable;
  readonly #frameBytesMax: number;

  constructor(watches: WatchTable, frameBytesMax: number) {
    this.#watches = watches;
    this.#frameBytesMax = frameBytesMax;
  }

  get count(): number {
    return this.#byId.size;
  }

  /** Whether closed connections still have watches to be removed: call `removeSomeWatches`. */
  get hasLeavingWatches(): boolean {
    return this.#leaving.length > 0;
  }

  all(): IterableIterator<ClientConnection> {
    return this.#byId.values();
  }

  get(id: ConnectionId): ClientConnection | undefined {
    return this.#byId.get(id);
  }

  /** The connection of a watcher; null when it is gone. */
  bySlot(slot: number): ClientConnection | null {
    return this.#bySlot[slot] ?? null;
  }

  /** The connection that a session uses now. */
  bySession(session: Session): ClientConnection | undefined {
    return this.#bySession.get(session);
  }

  add(options: {
    id: ConnectionId;
    address: string;
    port: number;
    secure: boolean;
    openedMs: number;
  }): ClientConnection {
    const slot = this.#freeSlots.pop() ?? this.#bySlot.length;
    const connection = new ClientConnection({
      ...options,
      slot,
      frameBytesMax: this.#frameBytesMax,
    });
    this.#bySlot[slot] = connection;
    this.#byId.set(connection.id, connection);
    return connection;
  }

  /** The connection uses this session from now on. */
  attach(connection: ClientConnection, session: Session): void {
    connection.session = session;
    this.#bySession.set(session, connection);
  }

  /** The connection is gone, and its watches with it. */
  remove(connection: ClientConnection): void {
    connection.phase = ConnectionPhase.closed;
    this.#byId.delete(connection.id);
    this.#bySlot[connection.slot] = null;
    const { session } = connection;
    if (session !== null && this.#bySession.get(session) === connection) {
      this.#bySession.delete(session);
    }
    this.#leaving.push(connection.slot);
  }

  /** Removes watches of closed connections, about a millisecond's worth; call once a turn. */
  removeSomeWatches(): void {
    for (let i = 0; i < slotsPerTurn; i++) {
      const slot = this.#leaving.at(-1);
      if (slot === undefined || !this.#watches.removeWatcher(slot, watchesPerSlot)) return;
      this.#leaving.pop();
      this.#freeSlots.push(slot);
    }
  }
}

/** Watches of one connection that are removed in one turn. */
const watchesPerSlot = 2000;
/** Closed connections that are looked at in one turn. */
const slotsPerTurn = 16;
