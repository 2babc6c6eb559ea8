import { assert } from '@meerkat/protocol';

/**
 * The fixed-size part of every znode: one row of 32-bit integers in pages that are added as the
 * tree grows, so that growing copies nothing. Owns which row numbers are in use; refuses to know
 * paths, data and rules. A 64-bit value is two columns, high half first.
 *
 * What only few znodes have (an owner, a place in a list of owned znodes) is in side pages,
 * which exist only where some znode of the page needs one.
 */
export class NodeTable {
  /** Rows of `rowInts` integers, `pageRows` in a page; the first page begins small and is replaced as it grows. */
  readonly pages: Int32Array[] = [new Int32Array(firstRows * rowInts)];
  readonly #sidePages: Int32Array[] = [noSidePage];
  #freeHead = 0;
  #nextId = 1;
  /** The first number that has no row. */
  #end = firstRows;
  #count = 0;

  /** Rows in use. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of all pages. */
  get reservedBytes(): number {
    let bytes = this.#end * rowInts * 4;
    for (const page of this.#sidePages) if (page !== noSidePage) bytes += page.length * 4;
    return bytes;
  }

  /** A row of zeros. Its number is never 0 and may have been used before. */
  allocate(): NodeId {
    let id = this.#freeHead;
    if (id !== 0) {
      this.#freeHead = this.get(id, Column.parent);
      this.#pageOf(id).fill(0, rowStart(id), rowStart(id) + rowInts);
    } else {
      id = this.#nextId++;
      assert(id < idsMax, 'the tree is full', id);
      if (id === this.#end) this.#grow();
    }
    this.#count++;
    return id;
  }

  /** Gives a row back. Until it is used again it matches no name. */
  release(id: NodeId): void {
    assert(this.isLive(id), 'a released row is in use', id);
    if (this.#sidePages[id >>> pageShift] !== noSidePage) this.setOwner(id, 0, 0);
    this.set(id, Column.nameLength, freeMark);
    this.set(id, Column.parent, this.#freeHead);
    this.#freeHead = id;
    this.#count--;
  }

  /** Whether the row is in use. */
  isLive(id: NodeId): boolean {
    return id > 0 && id < this.#nextId && this.get(id, Column.nameLength) !== freeMark;
  }

  get(id: NodeId, column: Column): number {
    return (this.pages[id >>> pageShift] as Int32Array)[rowStart(id) + column] as number;
  }

  set(id: NodeId, column: Column, value: number): void {
    (this.pages[id >>> pageShift] as Int32Array)[rowStart(id) + column] = value;
  }

  /** A 64-bit value as a double. */
  getLong(id: NodeId, column: LongColumn): number {
    const page = this.pages[id >>> pageShift] as Int32Array;
    const at = rowStart(id) + column;
    return (page[at] as number) * two32 + ((page[at + 1] as number) >>> 0);
  }

  setLong(id: NodeId, column: LongColumn, value: number): void {
    const page = this.pages[id >>> pageShift] as Int32Array;
    const at = rowStart(id) + column;
    page[at] = Math.floor(value / two32);
    page[at + 1] = value | 0;
  }

  /** Sets a 64-bit value given in two halves. */
  setHalves(id: NodeId, column: LongColumn, hi: number, lo: number): void {
    const page = this.pages[id >>> pageShift] as Int32Array;
    const at = rowStart(id) + column;
    page[at] = hi;
    page[at + 1] = lo;
  }

  nameLength(id: NodeId): number {
    return this.get(id, Column.nameLength) & nameLengthMask;
  }

  /** What `setName` was told in its `marks`: two bits of kind, one of "not digested". */
  marks(id: NodeId): number {
    return this.get(id, Column.nameLength) >>> marksShift;
  }

  setName(id: NodeId, length: number, marks: number): void {
    assert(length <= nameLengthMax, 'a name is shorter than a frame', length);
    this.set(id, Column.nameLength, length | (marks << marksShift));
  }

  ownerHi(id: NodeId): number {
    return this.#side(id, sideOwnerHi);
  }

  ownerLo(id: NodeId): number {
    return this.#side(id, sideOwnerLo);
  }

  setOwner(id: NodeId, hi: number, lo: number): void {
    this.#setSide(id, sideOwnerHi, hi);
    this.#setSide(id, sideOwnerLo, lo);
  }

  /** The next znode of the list that the znode is in. */
  nextOwned(id: NodeId): NodeId {
    return this.#side(id, sideNext);
  }

  previousOwned(id: NodeId): NodeId {
    return this.#side(id, sidePrevious);
  }

  setNextOwned(id: NodeId, next: NodeId): void {
    this.#setSide(id, sideNext, next);
  }

  setPreviousOwned(id: NodeId, previous: NodeId): void {
    this.#setSide(id, sidePrevious, previous);
  }

  #pageOf(id: NodeId): Int32Array {
    return this.pages[id >>> pageShift] as Int32Array;
  }

  #side(id: NodeId, field: number): number {
    const page = this.#sidePages[id >>> pageShift] as Int32Array;
    // A page that does not exist reads as zeros: an empty array gives undefined.
    return page[((id & pageMask) << 2) + field] ?? 0;
  }

  #setSide(id: NodeId, field: number, value: number): void {
    let page = this.#sidePages[id >>> pageShift] as Int32Array;
    if (page === noSidePage) {
      if (value === 0) return;
      page = new Int32Array(pageRows << 2);
      this.#sidePages[id >>> pageShift] = page;
    }
    page[((id & pageMask) << 2) + field] = value;
  }

  #grow(): void {
    if (this.#end < pageRows) {
      const first = new Int32Array(this.#end * 2 * rowInts);
      first.set(this.pages[0] as Int32Array);
      this.pages[0] = first;
      this.#end *= 2;
      return;
    }
    this.pages.push(new Int32Array(pageRows * rowInts));
    this.#sidePages.push(noSidePage);
    this.#end += pageRows;
  }
}

/** A znode's number in the tree. Reused after the znode is gone. */
export type NodeId = number;

/** No znode. */
export const noNode: NodeId = 0;

/** The root, always there. */
export const rootNode: NodeId = 1;

/** The columns of a row; those that a look-up reads stand first, in one cache line. */
export const Column = {
  parent: 0,
  /** Bytes of the last segment of the path, and marks; see `nameLength` and `marks`. */
  nameLength: 1,
  /** The block that holds the name and, behind it, the data. */
  block: 2,
  /** Bytes of data, -1 for null. */
  dataLength: 3,
  firstChild: 4,
  nextSibling: 5,
  previousSibling: 6,
  childCount: 7,
  aclId: 8,
  /** CRC-32 register after path and data. */
  prefixState: 9,
  version: 10,
  /** Children ever created: the persisted cversion. */
  createCounter: 11,
  aversion: 12,
  czxid: 13,
  mzxid: 15,
  pzxid: 17,
  ctime: 19,
  mtime: 21,
  /** The digest with which the znode counts in the tree's. */
  digest: 23,
} as const;

/** A column of one integer. */
export type Column = (typeof Column)[keyof typeof Column];

/** A column whose value takes it and the next. */
export type LongColumn = 13 | 15 | 17 | 19 | 21;

/** Integers in a row. */
export const rowInts = 24;

/** `id >>> pageShift` is the page of a row. */
export const pageShift = 13;

/** `(id & pageMask) * rowInts` is the place of a row in its page. */
export const pageMask = 0x1fff;

/** The bits of the name's length in its column. */
export const nameLengthMask = 0x0fff_ffff;

/** Bytes that a name may have: what the column holds. Frames are shorter. */
export const nameLengthMax: number = nameLengthMask;

const pageRows = 1 << pageShift;
const firstRows = 256;
const idsMax = 0x7fff_0000;
const marksShift = 28;
/** In a row that is not in use: no marks reach the sign bit. */
const freeMark = -1;
const two32 = 4294967296;

const sideOwnerHi = 0;
const sideOwnerLo = 1;
const sideNext = 2;
const sidePrevious = 3;
const noSidePage = new Int32Array(0);

function rowStart(id: NodeId): number {
  return (id & pageMask) * rowInts;
}
