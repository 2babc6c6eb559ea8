import { assert } from '@meerkat/protocol';

/**
 * Memory for the names and data of znodes: blocks cut from big byte arrays, without an object per
 * block. Owns the arrays; refuses to know what is in a block or how much of it is used, so the one
 * who releases a block says how many bytes were asked for.
 *
 * A segment is one array of 1 MiB, the first ones less; a page is 64 KiB and holds blocks of one size class. A page
 * whose last block is released serves any class again, so what a burst of one size took is not
 * lost to the other sizes. Blocks beyond `sharedBytesMax` are arrays of their own.
 */
export class Slab {
  readonly #segments: Uint8Array[] = [];
  /** The same memory as `#segments`, for the links of free blocks. */
  readonly #words: Int32Array[] = [];
  #pages: Int32Array = new Int32Array(16 * pageFields);
  #segmentsBytes = 0;
  #freePage = none;
  /** Per class, the first of its pages that have room. */
  readonly #roomy: Int32Array = new Int32Array(classCount).fill(none);
  readonly #large: (Uint8Array | undefined)[] = [];
  readonly #freeLarge: number[] = [];
  #largeBytes = 0;
  #usedBytes = 0;

  constructor() {
    this.#addSegment();
  }

  /** Bytes of all blocks handed out, rounded up to their classes. */
  get usedBytes(): number {
    return this.#usedBytes + this.#largeBytes;
  }

  /** Bytes of all arrays held. */
  get reservedBytes(): number {
    return this.#segmentsBytes + this.#largeBytes;
  }

  /** A block of at least `bytes` bytes, with anything in it. None for 0 bytes. */
  allocate(bytes: number): BlockRef {
    assert(bytes >= 0, 'a block has no negative size', bytes);
    if (bytes === 0) return noBlock;
    if (bytes > sharedBytesMax) return this.#allocateLarge(bytes);
    const sizeClass = classOf(bytes);
    let page = this.#roomy[sizeClass] as number;
    if (page === none) page = this.#takePage(sizeClass);
    const pages = this.#pages;
    const at = page * pageFields;
    const size = sizeOfClass(sizeClass);
    let block = pages[at + freeBlockField] as number;
    if (block !== noBlock) {
      const words = this.#words[block >>> segmentUnitShift] as Int32Array;
      pages[at + freeBlockField] = words[(block & segmentUnitMask) << 2] as number;
    } else {
      const used = pages[at + carvedField] as number;
      block = page * pageUnits + (used >>> unitShift);
      pages[at + carvedField] = used + size;
    }
    pages[at + liveField] = (pages[at + liveField] as number) + 1;
    if (!this.#hasRoom(page, size)) this.#unlink(page, sizeClass);
    this.#usedBytes += size;
    return block;
  }

  /**
   * Takes a block back.
   *
   * @param bytes what `allocate` was asked for, or any number of the same class
   */
  release(block: BlockRef, bytes: number): void {
    if (block === noBlock) return;
    if (block < 0) {
      this.#releaseLarge(block);
      return;
    }
    const sizeClass = classOf(bytes);
    const page = block >>> pageUnitShift;
    const pages = this.#pages;
    const at = page * pageFields;
    const live = pages[at + liveField] as number;
    assert(live > 0, 'a released block lies in a page in use', page, live);
    assert(pages[at + classField] === sizeClass, 'a block is released with its size', bytes, block);
    const size = sizeOfClass(sizeClass);
    const hadRoom = this.#hasRoom(page, size);
    this.#usedBytes -= size;
    pages[at + liveField] = live - 1;
    if (live === 1) {
      if (hadRoom) this.#unlink(page, sizeClass);
      this.#freeWholePage(page);
      return;
    }
    const words = this.#words[block >>> segmentUnitShift] as Int32Array;
    words[(block & segmentUnitMask) << 2] = pages[at + freeBlockField] as number;
    pages[at + freeBlockField] = block;
    if (!hadRoom) this.#link(page, sizeClass);
  }

  /** Whether `allocate` would give blocks of the same size for both, so that one serves for the other. */
  isSameClass(bytes: number, otherBytes: number): boolean {
    if (bytes === otherBytes) return true;
    if (bytes === 0 || otherBytes === 0) return false;
    if (bytes > sharedBytesMax || otherBytes > sharedBytesMax) return false;
    return classOf(bytes) === classOf(otherBytes);
  }

  /** The array that holds a block. */
  arrayOf(block: BlockRef): Uint8Array {
    if (block < 0) return this.#large[~block] as Uint8Array;
    return this.#segments[block >>> segmentUnitShift] as Uint8Array;
  }

  /** Where in its array a block starts. */
  offsetOf(block: BlockRef): number {
    return block < 0 ? 0 : (block & segmentUnitMask) << unitShift;
  }

  #hasRoom(page: number, size: number): boolean {
    const at = page * pageFields;
    if ((this.#pages[at + freeBlockField] as number) !== noBlock) return true;
    return (this.#pages[at + carvedField] as number) + size <= pageBytes;
  }

  #takePage(sizeClass: number): number {
    if (this.#freePage === none) this.#addSegment();
    const page = this.#freePage;
    const at = page * pageFields;
    assert((this.#pages[at + liveField] as number) === 0, 'a free page holds no block', page);
    this.#freePage = this.#pages[at + nextField] as number;
    this.#pages[at + classField] = sizeClass;
    this.#pages[at + freeBlockField] = noBlock;
    // The very first unit stays unused: its number means "no block".
    this.#pages[at + carvedField] = page === 0 ? unitBytes : 0;
    this.#link(page, sizeClass);
    return page;
  }

  #freeWholePage(page: number): void {
    this.#pages[page * pageFields + nextField] = this.#freePage;
    this.#freePage = page;
  }

  #link(page: number, sizeClass: number): void {
    const pages = this.#pages;
    const head = this.#roomy[sizeClass] as number;
    pages[page * pageFields + nextField] = head;
    pages[page * pageFields + previousField] = none;
    if (head !== none) pages[head * pageFields + previousField] = page;
    this.#roomy[sizeClass] = page;
  }

  #unlink(page: number, sizeClass: number): void {
    const pages = this.#pages;
    const next = pages[page * pageFields + nextField] as number;
    const previous = pages[page * pageFields + previousField] as number;
    if (next !== none) pages[next * pageFields + previousField] = previous;
    if (previous !== none) pages[previous * pageFields + nextField] = next;
    else this.#roomy[sizeClass] = next;
  }

  #addSegment(): void {
    const number = this.#segments.length;
    assert(number < segmentsMax, 'the slab is full', number);
    // A small tree takes little: the pages that a small segment has not got are never given out.
    const pages = number < smallSegments ? segmentPages >> (smallSegments - number) : segmentPages;
    const buffer = new ArrayBuffer(pages * pageBytes);
    this.#segmentsBytes += buffer.byteLength;
    this.#segments.push(new Uint8Array(buffer));
    this.#words.push(new Int32Array(buffer));
    const first = number * segmentPages;
    if ((first + segmentPages) * pageFields > this.#pages.length) {
      const grown = new Int32Array(this.#pages.length * 2);
      grown.set(this.#pages);
      this.#pages = grown;
    }
    // Last first, so that pages are used in the order of their addresses.
    for (let page = first + pages - 1; page >= first; page--) this.#freeWholePage(page);
  }

  #allocateLarge(bytes: number): BlockRef {
    const block = new Uint8Array(bytes);
    this.#largeBytes += bytes;
    const index = this.#freeLarge.pop() ?? this.#large.length;
    this.#large[index] = block;
    return ~index;
  }

  #releaseLarge(block: BlockRef): void {
    const index = ~block;
    const array = this.#large[index];
    assert(array !== undefined, 'a released block is in use', block);
    this.#largeBytes -= array.length;
    this.#large[index] = undefined;
    this.#freeLarge.push(index);
  }
}

/** Where a block is: a number of 16-byte units from the start of the slab, or the complement of a large block's. */
export type BlockRef = number;

/** No block: what 0 bytes take. */
export const noBlock: BlockRef = 0;

/** Blocks of more bytes are arrays of their own. */
export const sharedBytesMax: number = 16 * 1024;

/** The bytes that a block for `bytes` takes, up to `sharedBytesMax`. */
export function blockBytesFor(bytes: number): number {
  return bytes === 0 ? 0 : sizeOfClass(classOf(bytes));
}

const unitShift = 4;
const unitBytes = 1 << unitShift;
const segmentPages = 16;
/** The first segments, each half of the next. */
const smallSegments = 3;
const segmentUnitShift = 16;
const segmentUnitMask = 0xffff;
const pageBytes = 1 << 16;
const pageUnitShift = 12;
const pageUnits = 1 << pageUnitShift;
/** 2^31 units of 16 bytes: 32 GiB. */
const segmentsMax = 1 << 15;

/** In lists of pages. */
const none = -1;

// The fields of a page.
const pageFields = 8;
const classField = 0;
const liveField = 1;
/** The first of the page's released blocks. */
const freeBlockField = 2;
/** Bytes from the start of the page that have been cut into blocks. */
const carvedField = 3;
const nextField = 4;
const previousField = 5;

/** Sixteen classes of 16 bytes each, then eight for each doubling. */
const fineBytesMax = 256;
const fineClasses = 16;
const classCount: number = classOf(sharedBytesMax) + 1;

function classOf(bytes: number): number {
  if (bytes <= fineBytesMax) return (bytes + 15) >>> unitShift;
  const doubling = 31 - Math.clz32(bytes - 1);
  return fineClasses + 1 + (doubling - 8) * 8 + (((bytes - 1) >>> (doubling - 3)) - 8);
}

function sizeOfClass(sizeClass: number): number {
  if (sizeClass <= fineClasses) return sizeClass << unitShift;
  const step = sizeClass - fineClasses - 1;
  return ((step & 7) + 9) << ((step >>> 3) + 5);
}
