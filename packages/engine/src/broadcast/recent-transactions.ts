/**
 * The newest transactions of a member, in memory: first those that are committed, then those that are only
 * proposed (`ZKDatabase.committedLog`, `Leader.outstandingProposals`, `FollowerZooKeeperServer.pendingTxns`).
 *
 * Owns their bytes, each as a PROPOSAL packet ready to be sent, and how many committed ones are kept for learners that
 * come back. Refuses a hole: what is added follows what is there.
 */
import { assert, formatZxid, type Zxid } from '@meerkat/protocol';
import type { ReplayListener } from '../database.ts';
import { follows } from '../storage/log-format.ts';
import { headBytes, PacketType } from './quorum-packet.ts';

export class RecentTransactions implements ReplayListener {
  readonly #countMax: number;
  readonly #bytesMax: number;
  // A ring of columns; a transaction's number goes up by one with each.
  #zxids: Float64Array = new Float64Array(capacityFirst);
  #blocks: (Uint8Array | null)[] = new Array<Uint8Array | null>(capacityFirst).fill(null);
  #starts: Int32Array = new Int32Array(capacityFirst);
  #ends: Int32Array = new Int32Array(capacityFirst);
  #mask = capacityFirst - 1;
  #head = 0;
  #committed = 0;
  #tail = 0;
  #bytes = 0;
  #committedBytes = 0;
  #block: Uint8Array = new Uint8Array(firstBlockBytes);
  #view: DataView = new DataView(this.#block.buffer);
  #blockUsed = 0;

  /**
   * @param countMax committed transactions that are kept: `commitLogCount`
   * @param bytesMax bytes that those may take
   */
  constructor(countMax: number, bytesMax: number) {
    this.#countMax = Math.max(1, countMax);
    this.#bytesMax = bytesMax;
  }

  /** The number of the oldest that is kept. */
  get first(): number {
    return this.#head;
  }

  /** The number behind the last committed one: that of the oldest that is only proposed. */
  get committedEnd(): number {
    return this.#committed;
  }

  /** The number behind the newest. */
  get end(): number {
    return this.#tail;
  }

  /** How many are proposed and not committed. */
  get outstandingCount(): number {
    return this.#tail - this.#committed;
  }

  /** Bytes of those, in memory. */
  get outstandingBytes(): number {
    return this.#bytes - this.#committedBytes;
  }

  /** Whether a committed one is kept. */
  get hasCommitted(): boolean {
    return this.#committed > this.#head;
  }

  zxidOf(number: number): Zxid {
    assert(number >= this.#head && number < this.#tail, 'a transaction that is kept', number);
    return this.#zxids[number & this.#mask] as Zxid;
  }

  /** The number of a transaction, or of the first after it. */
  numberFrom(zxid: Zxid): number {
    let low = this.#head;
    let high = this.#tail;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#zxids[middle & this.#mask] as number) < zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether this very transaction is kept. */
  has(zxid: Zxid): boolean {
    const number = this.numberFrom(zxid);
    return number < this.#tail && this.zxidOf(number) === zxid;
  }

  /** Where a transaction's bytes are; use them before the next `add`, or keep the array. */
  blockOf(number: number): Uint8Array {
    const block = this.#blocks[number & this.#mask];
    assert(block !== null && block !== undefined, 'a transaction has its bytes', number);
    return block;
  }

  /** Where its PROPOSAL packet begins in its block; the transaction itself 16 bytes later. */
  packetStart(number: number): number {
    return this.#starts[number & this.#mask] as number;
  }

  /** Where its PROPOSAL packet ends; the transaction itself 4 bytes before. */
  packetEnd(number: number): number {
    return this.#ends[number & this.#mask] as number;
  }

  bodyStart(number: number): number {
    return this.packetStart(number) + headBytes;
  }

  bodyEnd(number: number): number {
    return this.packetEnd(number) - 4;
  }

  /** Adds a proposed transaction, header, record and digest being `bytes[start, end)`, which are copied. */
  add(bytes: Uint8Array, start: number, end: number, zxid: Zxid): void {
    assert(this.mayFollow(zxid), 'a transaction follows the one before', zxid, this.newestZxid);
    const length = headBytes + (end - start) + 4;
    if (this.#blockUsed + length > this.#block.length) {
      this.#block = new Uint8Array(Math.max(blockBytes, length));
      this.#view = new DataView(this.#block.buffer);
      this.#blockUsed = 0;
    }
    const at = this.#blockUsed;
    this.#view.setInt32(at, PacketType.proposal);
    this.#view.setInt32(at + 4, Math.floor(zxid / two32));
    this.#view.setInt32(at + 8, zxid | 0);
    this.#view.setInt32(at + 12, end - start);
    this.#block.set(bytes.subarray(start, end), at + headBytes);
    this.#view.setInt32(at + length - 4, -1);
    this.#blockUsed = at + length;
    if (this.#tail - this.#head > this.#mask) this.#grow();
    const slot = this.#tail & this.#mask;
    this.#zxids[slot] = zxid;
    this.#blocks[slot] = this.#block;
    this.#starts[slot] = at;
    this.#ends[slot] = at + length;
    this.#bytes += length;
    this.#tail++;
  }

  /** The newest transaction, -1 when there is none. */
  get newestZxid(): Zxid {
    return this.#tail === this.#head ? (-1 as Zxid) : this.zxidOf(this.#tail - 1);
  }

  /** Whether nothing is missing between the newest and `zxid`. */
  mayFollow(zxid: Zxid): boolean {
    return this.#tail === this.#head || follows(this.newestZxid, zxid);
  }

  /** The oldest proposed one is committed; the oldest committed ones go. */
  commitNext(): void {
    assert(this.#committed < this.#tail, 'what is committed was proposed', this.#committed);
    this.#committedBytes += this.#lengthOf(this.#committed++);
    while (
      this.#committed - this.#head > this.#countMax ||
      (this.#bytes > this.#bytesMax && this.#committed - this.#head > 1)
    ) {
      const length = this.#lengthOf(this.#head);
      this.#bytes -= length;
      this.#committedBytes -= length;
      this.#blocks[this.#head & this.#mask] = null;
      this.#head++;
    }
  }

  /** Forgets everything: the history is another one from here on. */
  clear(): void {
    this.#blocks.fill(null);
    this.#head = 0;
    this.#committed = 0;
    this.#tail = 0;
    this.#bytes = 0;
    this.#committedBytes = 0;
  }

  /** See `ReplayListener`. */
  onHistoryForgotten(): void {
    this.clear();
  }

  /** See `ReplayListener`: what is on disk is this member's history, and counts as committed there. */
  onReplayed(bytes: Uint8Array, start: number, end: number, zxid: Zxid): void {
    if (!this.mayFollow(zxid)) this.clear();
    this.add(bytes, start, end, zxid);
    this.commitNext();
  }

  /** For messages. */
  get text(): string {
    if (!this.hasCommitted) return 'nothing';
    const first = formatZxid(this.zxidOf(this.#head));
    return `${first} to ${formatZxid(this.zxidOf(this.#committed - 1))}`;
  }

  #lengthOf(number: number): number {
    return this.packetEnd(number) - this.packetStart(number);
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2;
    const zxids = new Float64Array(capacity);
    const blocks = new Array<Uint8Array | null>(capacity).fill(null);
    const starts = new Int32Array(capacity);
    const ends = new Int32Array(capacity);
    for (let i = this.#head; i < this.#tail; i++) {
      const from = i & this.#mask;
      const to = i & (capacity - 1);
      zxids[to] = this.#zxids[from] as number;
      blocks[to] = this.#blocks[from] as Uint8Array | null;
      starts[to] = this.#starts[from] as number;
      ends[to] = this.#ends[from] as number;
    }
    this.#zxids = zxids;
    this.#blocks = blocks;
    this.#starts = starts;
    this.#ends = ends;
    this.#mask = capacity - 1;
  }
}

const capacityFirst = 1024;
/** Transactions share blocks of this size, bytes. */
const blockBytes = 256 * 1024;
const firstBlockBytes = 16 * 1024;
const two32 = 4294967296;
