import { assert } from '@meerkat/protocol';
import { type KnownChange, noNode } from '../tree/tree.ts';
import type { ClientConnection } from './client-connection.ts';

/**
 * Transactions in the log that are not applied yet, in the order of the log: whose they are and
 * which request they answer. A ring of parallel columns, so that a write costs no object.
 */
export class PendingTransactions {
  #connections: (ClientConnection | null)[] = new Array<ClientConnection | null>(
    initialCapacity,
  ).fill(null);
  #xids: Int32Array = new Int32Array(initialCapacity);
  #types: Int32Array = new Int32Array(initialCapacity);
  #receivedMs: Float64Array = new Float64Array(initialCapacity);
  #largeBytes: Int32Array = new Int32Array(initialCapacity);
  /** The fields of a `KnownChange`, `knownInts` columns of each row. */
  #known: Int32Array = new Int32Array(initialCapacity * knownInts);
  readonly #knownOfOldest: KnownChange = {
    node: noNode,
    prefixState: 0,
    digest: 0,
    hash: 0,
    parentDigest: 0,
  };
  #mask = initialCapacity - 1;
  /** Sequence number of the oldest one. */
  #head = 1;
  /** Sequence number that the next one gets. */
  #tail = 1;

  /** How many there are. */
  get count(): number {
    return this.#tail - this.#head;
  }

  /** The number of the oldest: 1 for the first one ever, then up by one. */
  get oldestSequence(): number {
    return this.#head;
  }

  /**
   * Notes one more. Returns its sequence number.
   *
   * @param connection whom to answer; null for the server's own
   * @param type the request's operation code
   * @param receivedMs when the request came, monotonic ms
   * @param largeBytes its size when it counts as large, else 0
   */
  push(
    connection: ClientConnection | null,
    xid: number,
    type: number,
    receivedMs: number,
    largeBytes: number,
  ): number {
    if (this.count > this.#mask) this.#grow();
    const at = this.#tail & this.#mask;
    this.#connections[at] = connection;
    this.#xids[at] = xid;
    this.#types[at] = type;
    this.#receivedMs[at] = receivedMs;
    this.#largeBytes[at] = largeBytes;
    this.#known[at * knownInts] = noNode;
    return this.#tail++;
  }

  /** Notes what is known of the change that the newest one makes. */
  noteKnown(sequence: number, known: KnownChange): void {
    assert(sequence === this.#tail - 1, 'only the newest is noted of', sequence, this.#tail);
    const at = (sequence & this.#mask) * knownInts;
    this.#known[at] = known.node;
    this.#known[at + 1] = known.prefixState;
    this.#known[at + 2] = known.digest;
    this.#known[at + 3] = known.hash;
    this.#known[at + 4] = known.parentDigest;
  }

  /** What is known of the change that the oldest one makes, valid until the next call; else null. */
  get known(): KnownChange | null {
    const at = (this.#head & this.#mask) * knownInts;
    const known = this.#knownOfOldest;
    known.node = this.#known[at] as number;
    known.prefixState = this.#known[at + 1] as number;
    known.digest = this.#known[at + 2] as number;
    known.hash = this.#known[at + 3] as number;
    known.parentDigest = this.#known[at + 4] as number;
    return known.node === noNode ? null : known;
  }

  /** Whom the oldest one answers. */
  get connection(): ClientConnection | null {
    return this.#connections[this.#head & this.#mask] as ClientConnection | null;
  }

  get xid(): number {
    return this.#xids[this.#head & this.#mask] as number;
  }

  get type(): number {
    return this.#types[this.#head & this.#mask] as number;
  }

  get receivedMs(): number {
    return this.#receivedMs[this.#head & this.#mask] as number;
  }

  get largeBytes(): number {
    return this.#largeBytes[this.#head & this.#mask] as number;
  }

  /** Drops the oldest. */
  shift(): void {
    assert(this.#head < this.#tail, 'a transaction is pending', this.#head, this.#tail);
    this.#connections[this.#head & this.#mask] = null;
    this.#head++;
  }

  #grow(): void {
    const old = { connections: this.#connections, xids: this.#xids, types: this.#types };
    const oldReceivedMs = this.#receivedMs;
    const oldLargeBytes = this.#largeBytes;
    const oldKnown = this.#known;
    const oldMask = this.#mask;
    const capacity = (oldMask + 1) * 2;
    this.#mask = capacity - 1;
    this.#connections = new Array<ClientConnection | null>(capacity).fill(null);
    this.#xids = new Int32Array(capacity);
    this.#types = new Int32Array(capacity);
    this.#receivedMs = new Float64Array(capacity);
    this.#largeBytes = new Int32Array(capacity);
    this.#known = new Int32Array(capacity * knownInts);
    for (let i = this.#head; i < this.#tail; i++) {
      this.#connections[i & this.#mask] = old.connections[i & oldMask] as ClientConnection | null;
      this.#xids[i & this.#mask] = old.xids[i & oldMask] as number;
      this.#types[i & this.#mask] = old.types[i & oldMask] as number;
      this.#receivedMs[i & this.#mask] = oldReceivedMs[i & oldMask] as number;
      this.#largeBytes[i & this.#mask] = oldLargeBytes[i & oldMask] as number;
      for (let k = 0; k < knownInts; k++) {
        this.#known[(i & this.#mask) * knownInts + k] = oldKnown[
          (i & oldMask) * knownInts + k
        ] as number;
      }
    }
  }
}

const initialCapacity = 256;
/** Integers of a `KnownChange`. */
const knownInts = 5;
