import type { Random } from '@meerkat/engine';

/** Disks write a sector as a whole or not at all; only the last one of a write may be cut anywhere. */
const sectorBytes = 512;
const blockBytes = 4096;

/**
 * The content of one simulated file, whatever its name: what the system shows, what is on the disk,
 * and the writes that lie between. Owns what a crash makes of them.
 */
export class SimulatedFile {
  /** When it was changed last, virtual wall ms. */
  modifiedMs = 0;

  #seen: Uint8Array = new Uint8Array(0);
  #seenBytes = 0;
  #durable: Uint8Array = new Uint8Array(0);
  #durableBytes = 0;
  #unsynced: UnsyncedWrite[] = [];
  readonly #blocks = new Set<number>();

  /** The size that the system shows. */
  get sizeBytes(): number {
    return this.#seenBytes;
  }

  /** Bytes that the file takes up; holes take none. */
  get allocatedBytes(): number {
    return this.#blocks.size * blockBytes;
  }

  /** Bytes that a write would add to `allocatedBytes`. */
  bytesToAllocate(position: number, length: number): number {
    let count = 0;
    const last = Math.floor((position + Math.max(1, length) - 1) / blockBytes);
    for (let block = Math.floor(position / blockBytes); block <= last; block++) {
      if (!this.#blocks.has(block)) count++;
    }
    return count * blockBytes;
  }

  /** The content as the system shows it, a view. */
  content(): Uint8Array {
    return this.#seen.subarray(0, this.#seenBytes);
  }

  /** The content that is on the disk whatever happens, a view. */
  durableContent(): Uint8Array {
    return this.#durable.subarray(0, this.#durableBytes);
  }

  /** Writes into the system's cache. */
  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    const own = bytes.slice();
    this.#seen = withRoom(this.#seen, position + own.length);
    this.#seen.set(own, position);
    this.#seenBytes = Math.max(this.#seenBytes, position + own.length);
    const last = Math.floor((position + own.length - 1) / blockBytes);
    for (let block = Math.floor(position / blockBytes); block <= last; block++) {
      this.#blocks.add(block);
    }
    this.#unsynced.push({ position, bytes: own });
  }

  /** Makes what the system shows durable. */
  sync(): void {
    for (const write of this.#unsynced) this.#keep(write.position, write.bytes);
    this.#unsynced = [];
    this.#durableBytes = this.#seenBytes;
    this.#durable = withRoom(this.#durable, this.#durableBytes);
  }

  /**
   * What a failed sync does on many systems: the cache is taken for clean, so that a later sync ends
   * well, but the bytes never reach the disk.
   */
  forgetUnsynced(): void {
    this.#unsynced = [];
  }

  /** Cuts the file, durably. */
  truncate(sizeBytes: number): void {
    this.sync();
    this.#seen = this.#seen.slice(0, sizeBytes);
    this.#durable = this.#durable.slice(0, sizeBytes);
    this.#seenBytes = sizeBytes;
    this.#durableBytes = sizeBytes;
    for (const block of this.#blocks)
      if (block * blockBytes >= sizeBytes) this.#blocks.delete(block);
  }

  /** Replaces the byte at `position`, on the disk and in the cache: a fault of the medium. */
  corrupt(position: number, value: number): void {
    this.#seen[position] = value;
    this.#durable[position] = value;
  }

  /**
   * The file as it is after a power cut: of each sector any of its versions since the last sync was
   * written, the sectors independently of each other.
   */
  afterPowerCut(random: Random): SimulatedFile {
    const after = this.#durableCopy();
    const mood = random.below(4);
    const keepPercent = mood === 0 ? 0 : mood === 1 ? 100 : random.below(101);
    for (const versions of this.#sectorVersions(random).values()) {
      let kept = versions.length;
      while (kept > 0 && random.below(100) >= keepPercent) kept--;
      for (const piece of versions.slice(0, kept)) after.write(piece.bytes, piece.position);
    }
    after.sync();
    after.modifiedMs = this.modifiedMs;
    return after;
  }

  /** The unsynced writes, by sector; the last one may end anywhere. */
  #sectorVersions(random: Random): Map<number, UnsyncedWrite[]> {
    const sectors = new Map<number, UnsyncedWrite[]>();
    for (const [i, write] of this.#unsynced.entries()) {
      const { length } = write.bytes;
      const torn = i === this.#unsynced.length - 1 && random.below(2) === 0;
      const end = torn ? random.below(length + 1) : length;
      let at = 0;
      while (at < end) {
        const position = write.position + at;
        const next = Math.min(end, at + sectorBytes - (position % sectorBytes));
        const sector = Math.floor(position / sectorBytes);
        const versions = sectors.get(sector) ?? [];
        versions.push({ position, bytes: write.bytes.subarray(at, next) });
        sectors.set(sector, versions);
        at = next;
      }
    }
    return sectors;
  }

  /** The file as the next process finds it: the cache outlives the process. */
  afterProcessEnd(): SimulatedFile {
    const after = this.#durableCopy();
    // What a failed sync has lost can still be read.
    after.#seen = this.#seen.slice();
    after.#seenBytes = this.#seenBytes;
    for (const block of this.#blocks) after.#blocks.add(block);
    after.#unsynced = this.#unsynced.slice();
    after.modifiedMs = this.modifiedMs;
    return after;
  }

  #durableCopy(): SimulatedFile {
    const copy = new SimulatedFile();
    copy.#seen = this.#durable.slice(0, this.#durableBytes);
    copy.#durable = copy.#seen.slice();
    copy.#seenBytes = this.#durableBytes;
    copy.#durableBytes = this.#durableBytes;
    for (let at = 0; at < this.#durableBytes; at += blockBytes) copy.#blocks.add(at / blockBytes);
    return copy;
  }

  #keep(position: number, bytes: Uint8Array): void {
    this.#durable = withRoom(this.#durable, position + bytes.length);
    this.#durable.set(bytes, position);
    this.#durableBytes = Math.max(this.#durableBytes, position + bytes.length);
  }
}

interface UnsyncedWrite {
  readonly position: number;
  readonly bytes: Uint8Array;
}

function withRoom(bytes: Uint8Array, needed: number): Uint8Array {
  if (needed <= bytes.length) return bytes;
  const grown = new Uint8Array(Math.max(needed, 2 * bytes.length));
  grown.set(bytes);
  return grown;
}
