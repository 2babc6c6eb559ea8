/**
 * Where the text of watched paths lies: pages of bytes, cut into blocks.
 *
 * Owns the bytes of each stored path until it is released; a block keeps its address. Refuses to
 * know what a path is, and keeps no length: whoever stores a path knows how long it is.
 *
 * Blocks come in sizes: multiples of 8 bytes up to 256, then powers of two. A released block waits in
 * the list of its size, chained through its own first bytes. Text that would fill a good part of
 * a page gets one of its own, returned to the system when it is released.
 */
import { assert } from '@meerkat/protocol';

/** Stores paths and finds them by address. Addresses are counted in blocks of 8 bytes, from 1. */
export class PathSlab {
  readonly #pages: Page[] = [];
  /** Numbers of pages that had one large path and are free. */
  readonly #freePages: number[] = [];
  /** First free block of each size, as an address; 0 is none. */
  readonly #freeBlocks = new Uint32Array(sizeCount);
  #openPage = -1;
  /** Granules of the open page that are given out. */
  #openUsed = 0;
  #openGranules = 0;
  #allocatedBytes = 0;

  /** Bytes taken from the system, those of released blocks included. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /**
   * Bytes that storing a path of `length` bytes would take from the system. Infinity when no path of
   * that size can be stored: ask before `store` for whatever comes from outside.
   */
  growthFor(length: number): number {
    const isLong = length > sharedBytesMax;
    if (!isLong) {
      const size = sizeOf(length);
      if (this.#freeBlocks[size] !== 0) return 0;
      if (this.#openUsed + granulesOfSize(size) <= this.#openGranules) return 0;
    }
    const hasPage = this.#freePages.length > 0 || this.#pages.length < pagesMax;
    if (!hasPage) return Number.POSITIVE_INFINITY;
    return isLong ? wholeGranules(length) : this.#nextPageBytes;
  }

  /** Copies `bytes[start, end)` into the slab; returns its address. */
  store(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    assert(length >= 0 && start >= 0, 'a path has a start before its end', start, end);
    const address = length > sharedBytesMax ? this.#takePage(length) : this.#takeBlock(length);
    const page = this.#page(address);
    const at = offsetOf(address);
    for (let i = 0; i < length; i++) page.bytes[at + i] = bytes[start + i] as number;
    return address;
  }

  /** Gives back what `store` returned for a path of `length` bytes. */
  release(address: number, length: number): void {
    const page = this.#page(address);
    if (length > sharedBytesMax) {
      const number = pageOf(address);
      this.#allocatedBytes -= page.bytes.length;
      this.#pages[number] = noPage;
      this.#freePages.push(number);
      return;
    }
    const size = sizeOf(length);
    page.links[granuleOf(address) * 2] = this.#freeBlocks[size] as number;
    this.#freeBlocks[size] = address;
  }

  /** Whether the path at `address` equals `bytes[start, start + length)`. */
  equals(address: number, length: number, bytes: Uint8Array, start: number): boolean {
    const stored = this.#page(address).bytes;
    const at = offsetOf(address);
    // Paths differ in their tails more often than in their heads.
    for (let i = length - 1; i >= 0; i--) {
      if (stored[at + i] !== bytes[start + i]) return false;
    }
    return true;
  }

  /** The bytes among which the path at `address` lies, from `offsetOf(address)` on. */
  bytesAt(address: number): Uint8Array {
    return this.#page(address).bytes;
  }

  #page(address: number): Page {
    const page = this.#pages[pageOf(address)];
    assert(page !== undefined && page !== noPage, 'an address lies in a page of the slab', address);
    return page;
  }

  #takeBlock(length: number): number {
    const size = sizeOf(length);
    const free = this.#freeBlocks[size] as number;
    if (free !== 0) {
      this.#freeBlocks[size] = this.#page(free).links[granuleOf(free) * 2] as number;
      return free;
    }
    const granules = granulesOfSize(size);
    if (this.#openUsed + granules > this.#openGranules) {
      const bytes = this.#nextPageBytes;
      this.#openPage = this.#addPage(bytes);
      this.#openUsed = 0;
      this.#openGranules = bytes / granuleBytes;
    }
    const address = addressOf(this.#openPage, this.#openUsed);
    this.#openUsed += granules;
    return address;
  }

  /** The first page for shared blocks is a small one: few servers watch much. */
  get #nextPageBytes(): number {
    return this.#openPage === -1 ? firstPageBytes : pageBytes;
  }

  #takePage(length: number): number {
    return addressOf(this.#addPage(wholeGranules(length)), 0);
  }

  #addPage(lengthBytes: number): number {
    const number = this.#freePages.pop() ?? this.#pages.length;
    assert(number < pagesMax, 'the slab of watched paths is full: 32 GiB of address space', number);
    const bytes = new Uint8Array(lengthBytes);
    this.#allocatedBytes += lengthBytes;
    this.#pages[number] = { bytes, links: new Uint32Array(bytes.buffer) };
    return number;
  }
}

/** Where in `bytesAt(address)` the path at `address` starts. */
export function offsetOf(address: number): number {
  return granuleOf(address) * granuleBytes;
}

/** A page, seen as bytes and as the links of free blocks. */
interface Page {
  readonly bytes: Uint8Array;
  readonly links: Uint32Array;
}

const granuleBytes = 8;
const pageBytes = 1 << 20;
const firstPageBytes = pageBytes / 8;
const pageGranules = pageBytes / granuleBytes;
/** Page 0 starts at address 1, so that 0 can mean none; the last granule of a page keeps to its own page. */
const pagesMax = 2 ** 32 / pageGranules - 1;
/** Longer paths get a page each: then at most an eighth of a shared page is lost at its end. */
const sharedBytesMax = pageBytes / 8;
const smallBytesMax = 256;
const smallSizes = smallBytesMax / granuleBytes;
const sizeCount = smallSizes + 1 + Math.log2(sharedBytesMax / smallBytesMax);
const noPage: Page = { bytes: new Uint8Array(0), links: new Uint32Array(0) };

assert(
  Number.isInteger(sizeCount),
  'block sizes double from the small ones to the largest',
  sizeCount,
);

/** The number of the block size that holds `length` bytes: 0 is 8 bytes, 1 is 16, … */
function sizeOf(length: number): number {
  if (length <= smallBytesMax) return length <= granuleBytes ? 0 : (length - 1) >> 3;
  return smallSizes - 1 + (32 - Math.clz32(length - 1)) - Math.log2(smallBytesMax);
}

function wholeGranules(length: number): number {
  return Math.ceil(length / granuleBytes) * granuleBytes;
}

function granulesOfSize(size: number): number {
  if (size < smallSizes) return size + 1;
  return smallSizes * 2 ** (size - smallSizes + 1);
}

function addressOf(page: number, granule: number): number {
  return page * pageGranules + granule + 1;
}

function pageOf(address: number): number {
  return Math.floor((address - 1) / pageGranules);
}

function granuleOf(address: number): number {
  return (address - 1) % pageGranules;
}
