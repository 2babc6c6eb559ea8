import { assert } from '@meerkat/protocol';
import { DigestSum } from '../tree/digest.ts';
import { type NodeId, noNode, type Tree } from '../tree/tree.ts';
import { ChangeRecord } from './change-record.ts';
import { PathRecords } from './path-records.ts';
import { RecordBuckets } from './record-buckets.ts';
import { findZnode } from './request-path.ts';

/**
 * What the tree will look like once every transaction in the log is applied: requests are checked
 * against this, not against the tree (`outstandingChanges` of `ZooKeeperServer.java`).
 *
 * Owns one record per znode that a pending transaction changes, and the digest the tree will have.
 * Refuses to change the tree. A record of a znode that is in the tree is found by its number; one of
 * a znode still to be created, by its path.
 */
export class OutstandingChanges {
  /** Whether digests are kept; the two halves mean nothing otherwise. */
  readonly digestEnabled: boolean;
  readonly #tree: Tree;
  readonly #byNode = new RecordBuckets();
  readonly #byPath: PathRecords;
  readonly #history = new ChangeHistory();
  readonly #spare: ChangeRecord[] = [];
  /** Records handed out for znodes of the tree that the operation under way has not changed. */
  readonly #peeked: ChangeRecord[] = [];
  readonly #digest = new DigestSum();
  #undo: UndoLog | null = null;

  constructor(tree: Tree, digestEnabled: boolean) {
    this.#tree = tree;
    this.#byPath = new PathRecords(tree.hashSeed);
    this.digestEnabled = digestEnabled;
    this.#takeTreeDigest();
  }

  /** High half of the tree's digest after everything pending. */
  get digestHi(): number {
    return this.#digest.hi;
  }

  /** Low half of it, signed. */
  get digestLo(): number {
    return this.#digest.lo;
  }

  /** Starts an operation: what `find` returned to the one before is no longer valid. */
  beginOperation(): void {
    while (this.#peeked.length > 0) this.#giveBack(this.#peeked.pop() as ChangeRecord);
  }

  /**
   * The state of the znode at a path after everything pending; null when it will not exist. Call
   * `touch` before changing what is returned. The empty path is the root: the parent of `/a`.
   */
  find(path: Uint8Array, start: number, end: number): ChangeRecord | null {
    if (this.#byPath.size > 0) {
      const pending = this.#byPath.get(path, start, end);
      if (pending !== null) return pending.exists ? pending : null;
    }
    const node = findZnode(this.#tree, path, start, end);
    if (node === noNode) return null;
    const changed = this.#ofNode(node);
    if (changed !== null) return changed.exists ? changed : null;
    const record = (this.#spare.pop() ?? new ChangeRecord()).readFrom(this.#tree, node);
    this.#peeked.push(record);
    return record;
  }

  /** Notes that `record`, which `find` returned, changes at `zxid`; takes it out of the digest. */
  touch(record: ChangeRecord, zxid: number): void {
    this.#undo?.note(record);
    if (record.zxid === 0) {
      // The operation may have looked at one znode twice: the first record to be touched counts.
      assert(this.#ofNode(record.node) === null, 'a znode has one record', record.node);
      record.key = record.node;
      this.#byNode.add(record);
      this.#keep(record);
    }
    if (record.zxid !== zxid) {
      record.zxid = zxid;
      this.#history.push(record, zxid);
    }
    if (this.digestEnabled) this.#digest.subtract(record.digest);
  }

  /** Ends a change begun with `touch` or `create`: puts the record back into the digest. */
  changed(record: ChangeRecord): void {
    if (!this.digestEnabled || !record.exists) return;
    record.digest = record.computeDigest();
    this.#digest.add(record.digest);
  }

  /** A record for a znode that `zxid` creates; fill in its fields, then call `changed`. */
  create(path: Uint8Array, start: number, end: number, zxid: number): ChangeRecord {
    const record = this.#spare.pop() ?? new ChangeRecord();
    record.node = noNode;
    record.setPath(path, start, end);
    record.exists = true;
    record.zxid = zxid;
    const replaced = this.#byPath.set(record);
    this.#undo?.noteCreated(record, replaced);
    this.#history.push(record, zxid);
    return record;
  }

  /** Begins a transaction of several operations, which `commit` or `rollBack` ends. */
  begin(): void {
    assert(this.#undo === null, 'transactions do not nest');
    this.#undo = new UndoLog(this.#history.tail, this.digestHi, this.digestLo);
  }

  /** Keeps what was changed since `begin`. */
  commit(): void {
    this.#undo = null;
  }

  /** Undoes all that was changed since `begin`, parents included (ZOOKEEPER-1624). */
  rollBack(): void {
    const undo = this.#undo;
    assert(undo !== null, 'a transaction is under way');
    for (const entry of undo.entries.reverse()) {
      if (entry.before === null) {
        this.#byPath.delete(entry.record);
        if (entry.replaced !== null) this.#byPath.set(entry.replaced);
      } else {
        entry.record.copyFrom(entry.before);
        if (entry.record.zxid === 0) this.#byNode.remove(entry.record);
      }
    }
    this.#history.cut(undo.historyTail);
    this.#digest.hi = undo.digestHi;
    this.#digest.lo = undo.digestLo;
    this.#undo = null;
  }

  /** Everything up to `zxid` is in the tree now: what no later transaction changes is forgotten. */
  applied(zxid: number): void {
    for (;;) {
      const record = this.#history.shiftUpTo(zxid);
      if (record === null) break;
      if (record.zxid > zxid) continue;
      this.#forget(record);
      this.#giveBack(record);
    }
    if (this.#history.isEmpty) this.#takeTreeDigest();
  }

  /** Every znode that a pending transaction changes. */
  *all(): IterableIterator<ChangeRecord> {
    yield* this.#byNode.values();
    yield* this.#byPath.values();
  }

  /** Znodes that pending transactions change. */
  get count(): number {
    return this.#byNode.size + this.#byPath.size;
  }

  /** Forgets everything, after the tree was loaded anew. */
  clear(): void {
    this.#byNode.clear();
    this.#byPath.clear();
    this.#peeked.length = 0;
    this.#history.cut(0);
    this.#takeTreeDigest();
  }

  /** The record of a znode of the tree that a pending transaction changes; null when none does. */
  #ofNode(node: NodeId): ChangeRecord | null {
    let record = this.#byNode.first(node);
    while (record !== null && record.node !== node) record = record.nextInBucket;
    return record;
  }

  /** What was only looked at until now is pending: it must not be given to another znode. */
  #keep(record: ChangeRecord): void {
    const at = this.#peeked.indexOf(record);
    assert(at !== -1, 'a record that is touched was found by this operation', record.node);
    const last = this.#peeked.pop() as ChangeRecord;
    if (last !== record) this.#peeked[at] = last;
  }

  #giveBack(record: ChangeRecord): void {
    if (this.#spare.length < spareMax) this.#spare.push(record);
  }

  #forget(record: ChangeRecord): void {
    if (record.node !== noNode) this.#byNode.remove(record);
    else this.#byPath.delete(record);
    record.zxid = 0;
  }

  #takeTreeDigest(): void {
    this.#digest.hi = this.#tree.digestHi;
    this.#digest.lo = this.#tree.digestLo;
  }
}

/** Which record changed at which zxid, oldest first: a ring that grows. */
class ChangeHistory {
  tail = 0;
  #head = 0;
  #records: (ChangeRecord | null)[] = new Array<ChangeRecord | null>(256).fill(null);
  #zxids: Float64Array = new Float64Array(256);

  get isEmpty(): boolean {
    return this.#head === this.tail;
  }

  push(record: ChangeRecord, zxid: number): void {
    if (this.tail - this.#head === this.#records.length) this.#grow();
    const at = this.tail & (this.#records.length - 1);
    this.#records[at] = record;
    this.#zxids[at] = zxid;
    this.tail++;
  }

  /** Takes the oldest entry if it is not newer than `zxid`. */
  shiftUpTo(zxid: number): ChangeRecord | null {
    const at = this.#head & (this.#records.length - 1);
    if (this.#head === this.tail || (this.#zxids[at] as number) > zxid) return null;
    const record = this.#records[at] as ChangeRecord;
    this.#records[at] = null;
    this.#head++;
    return record;
  }

  /** Drops the newest entries back to a former `tail`; 0 drops all. */
  cut(tail: number): void {
    while (this.tail > Math.max(tail, this.#head)) {
      this.tail--;
      this.#records[this.tail & (this.#records.length - 1)] = null;
    }
  }

  #grow(): void {
    const records = this.#records;
    const zxids = this.#zxids;
    const oldMask = records.length - 1;
    const mask = records.length * 2 - 1;
    this.#records = new Array<ChangeRecord | null>(mask + 1).fill(null);
    this.#zxids = new Float64Array(mask + 1);
    for (let i = this.#head; i < this.tail; i++) {
      this.#records[i & mask] = records[i & oldMask] as ChangeRecord;
      this.#zxids[i & mask] = zxids[i & oldMask] as number;
    }
  }
}

/** What a transaction of several operations changed so far, and what was there before. */
class UndoLog {
  readonly entries: {
    readonly record: ChangeRecord;
    /** Null for a created record. */
    readonly before: ChangeRecord | null;
    readonly replaced: ChangeRecord | null;
  }[] = [];
  readonly historyTail: number;
  readonly digestHi: number;
  readonly digestLo: number;

  constructor(historyTail: number, digestHi: number, digestLo: number) {
    this.historyTail = historyTail;
    this.digestHi = digestHi;
    this.digestLo = digestLo;
  }

  note(record: ChangeRecord): void {
    this.entries.push({ record, before: new ChangeRecord().copyFrom(record), replaced: null });
  }

  noteCreated(record: ChangeRecord, replaced: ChangeRecord | null): void {
    this.entries.push({ record, before: null, replaced });
  }
}

/** Spare records kept for the next operations. */
const spareMax = 4096;
