import { assert, asZxid, JuteWriter, type Zxid } from '@meerkat/protocol';
import { fileHeaderBytes, writeLogHeader } from './log-format.ts';

/**
 * Records on their way to the disk: one reused buffer, and where it may be cut into parts so that no
 * write becomes too long. Owns the bytes between `TransactionLog.beginRecord` and the disk. Room for a
 * file header is kept before the first record.
 */
export class LogGroup {
  readonly writer: JuteWriter = new JuteWriter(64 * 1024);
  /** Records that have not been dropped. */
  count = 0;

  /** Start of the part that is written next. */
  #partStart = fileHeaderBytes;
  #partEnds: number[] = [];
  #partCounts: number[] = [];
  #partFirstZxids: Zxid[] = [];
  #partLastZxids: Zxid[] = [];
  #next = 0;

  /** The part that is still open: where it begins, and its records so far. */
  #openStart = fileHeaderBytes;
  #openCount = 0;
  #openFirstZxid: Zxid = asZxid(-1);
  #openLastZxid: Zxid = asZxid(-1);

  constructor() {
    this.writer.reserve(fileHeaderBytes);
  }

  /** Bytes of records that have not been dropped. */
  get pendingBytes(): number {
    return this.writer.length - this.#partStart;
  }

  /** Bytes of the part that is open; 0 when the last record closed it. */
  get openBytes(): number {
    return this.writer.length - this.#openStart;
  }

  /** Counts the record that ends where the writer stands. */
  add(zxid: Zxid, partBytesMax: number): void {
    if (this.#openCount === 0) this.#openFirstZxid = zxid;
    this.#openLastZxid = zxid;
    this.#openCount++;
    this.count++;
    if (this.openBytes >= partBytesMax) this.seal();
  }

  /** Closes the open part, if it has records. */
  seal(): void {
    if (this.#openCount === 0) return;
    this.#partEnds.push(this.writer.length);
    this.#partCounts.push(this.#openCount);
    this.#partFirstZxids.push(this.#openFirstZxid);
    this.#partLastZxids.push(this.#openLastZxid);
    this.#openStart = this.writer.length;
    this.#openCount = 0;
  }

  /** Where the next part begins in the writer's bytes. */
  get partStart(): number {
    return this.#partStart;
  }

  /** Where the next part ends. */
  get partEnd(): number {
    return at(this.#partEnds, this.#next);
  }

  /** Records in the next part. */
  get partCount(): number {
    return at(this.#partCounts, this.#next);
  }

  get partFirstZxid(): Zxid {
    return at(this.#partFirstZxids, this.#next);
  }

  get partLastZxid(): Zxid {
    return at(this.#partLastZxids, this.#next);
  }

  /**
   * Writes a file header right before the next part. What stood there is durable and done with:
   * the room kept at the start, or the end of the part before.
   */
  putHeader(start: number): void {
    assert(start + fileHeaderBytes === this.#partStart, 'a header away from its records', start);
    const length = this.writer.length;
    this.writer.length = start;
    writeLogHeader(this.writer);
    this.writer.length = length;
  }

  /** Forgets the next part. The buffer is emptied with the last one, and let go when it grew far. */
  dropPart(partBytesMax: number): void {
    this.count -= this.partCount;
    this.#partStart = this.partEnd;
    this.#next++;
    if (this.#next < this.#partEnds.length) return;
    assert(this.count === 0, 'records outside every part', this.count);
    this.clear();
    if (this.writer.bytes.length > 4 * partBytesMax) {
      this.writer.bytes = new Uint8Array(partBytesMax);
      this.writer.view = new DataView(this.writer.bytes.buffer);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.count = 0;
    this.#partEnds.length = 0;
    this.#partCounts.length = 0;
    this.#partFirstZxids.length = 0;
    this.#partLastZxids.length = 0;
    this.#next = 0;
    this.#openCount = 0;
    this.writer.length = fileHeaderBytes;
    this.#partStart = fileHeaderBytes;
    this.#openStart = fileHeaderBytes;
  }
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  assert(item !== undefined, 'a log group without parts', index, items.length);
  return item;
}
