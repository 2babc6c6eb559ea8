/**
 * What the tree's digest was: one entry for every 128th transaction, the newest 1024 of them
 * (`DataTree.logZxidDigest`). Two members whose entries differ at one zxid have different trees.
 *
 * Owns the entries. Refuses to look at the tree: whoever applies transactions reports its digest.
 */

/** A ring of digests, without an object per entry. */
export class DigestHistory {
  readonly #zxids = new Float64Array(entriesMax);
  readonly #digests = new Int32Array(entriesMax * 2);
  /** Entries ever added. */
  #added = 0;

  /** Entries there are. */
  get count(): number {
    return Math.min(this.#added, entriesMax);
  }

  /** Notes the digest after a transaction; the oldest entry goes when there are too many. */
  add(zxid: number, digestHi: number, digestLo: number): void {
    const at = this.#added % entriesMax;
    this.#zxids[at] = zxid;
    this.#digests[at * 2] = digestHi;
    this.#digests[at * 2 + 1] = digestLo;
    this.#added++;
  }

  /** Shows every entry, the oldest first; the digest in two halves. */
  visit(show: (zxid: number, digestHi: number, digestLo: number) => void): void {
    for (let i = this.#added - this.count; i < this.#added; i++) {
      const at = i % entriesMax;
      show(
        this.#zxids[at] as number,
        this.#digests[at * 2] as number,
        this.#digests[at * 2 + 1] as number,
      );
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#added = 0;
  }
}

/** Whether the digest after this transaction belongs into the history. Exact for every zxid. */
export function isNotedInHistory(zxid: number): boolean {
  return (zxid & (interval - 1)) === 0;
}

/** `DataTree.DIGEST_LOG_INTERVAL`, a power of two. */
const interval = 128;
/** `DataTree.DIGEST_LOG_LIMIT`. */
const entriesMax = 1024;
