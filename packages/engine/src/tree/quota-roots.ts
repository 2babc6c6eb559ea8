import { utf8 } from '@meerkat/protocol';
import { continueHash } from './path-index.ts';

/**
 * The znodes that have a quota, to be found from any znode below them. Owns nothing but their paths;
 * limits and sums are znodes under /zookeeper/quota. Source: ZooKeeper's `PathTrie.java`, `Quotas.java`.
 */
export class QuotaRoots {
  readonly #byHash = new Map<number, QuotaRoot[]>();
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Adds the znode at `path`; twice is once. Not the root: ZooKeeper keeps no quota of everything. */
  add(path: Uint8Array): void {
    if (path.length === 0) return;
    const hash = continueHash(0, path, 0, path.length);
    const sharing = this.#byHash.get(hash) ?? [];
    if (sharing.some((root) => isSame(root.path, path, 0, path.length))) return;
    const limitsPath = join(quotaPath, path, limitsName);
    const statsPath = join(quotaPath, path, statsName);
    sharing.push({ path: path.slice(), limitsPath, statsPath });
    this.#byHash.set(hash, sharing);
    this.#count++;
  }

  /** Forgets the znode at `path`. */
  remove(path: Uint8Array): void {
    const hash = continueHash(0, path, 0, path.length);
    const sharing = this.#byHash.get(hash);
    const rest = sharing?.filter((root) => !isSame(root.path, path, 0, path.length));
    if (sharing === undefined || rest === undefined || rest.length === sharing.length) return;
    if (rest.length === 0) this.#byHash.delete(hash);
    else this.#byHash.set(hash, rest);
    this.#count--;
  }

  /** The deepest znode with a quota at or above `bytes[start, end)`. */
  find(bytes: Uint8Array, start: number, end: number): QuotaRoot | undefined {
    if (this.#count === 0) return undefined;
    let deepest: QuotaRoot | undefined;
    let hash = 0;
    let from = start;
    while (from < end) {
      let to = from + 1;
      while (to < end && bytes[to] !== slash) to++;
      hash = continueHash(hash, bytes, from, to);
      const sharing = this.#byHash.get(hash);
      const root = sharing?.find((candidate) => isSame(candidate.path, bytes, start, to));
      if (root !== undefined) deepest = root;
      from = to;
    }
    return deepest;
  }

  /** All of them. */
  *all(): IterableIterator<QuotaRoot> {
    for (const sharing of this.#byHash.values()) yield* sharing;
  }

  /** Forgets all. */
  clear(): void {
    this.#byHash.clear();
    this.#count = 0;
  }
}

/** A znode with a quota. */
export interface QuotaRoot {
  readonly path: Uint8Array;
  /** Where its limits are: `/zookeeper/quota<path>/zookeeper_limits`. */
  readonly limitsPath: Uint8Array;
  /** Where its sums are: `/zookeeper/quota<path>/zookeeper_stats`. */
  readonly statsPath: Uint8Array;
}

/** What a znode under /zookeeper/quota is for. */
export const QuotaPart = { none: 0, limits: 1, stats: 2 } as const;

/** One of the parts. */
export type QuotaPart = (typeof QuotaPart)[keyof typeof QuotaPart];

/** Which part of a quota the znode at `bytes[start, end)` is. */
export function quotaPartOf(bytes: Uint8Array, start: number, end: number): QuotaPart {
  if (!startsWith(bytes, start, end, quotaPath)) return QuotaPart.none;
  if (endsWith(bytes, start + quotaPath.length, end, limitsName)) return QuotaPart.limits;
  if (endsWith(bytes, start + quotaPath.length, end, statsName)) return QuotaPart.stats;
  return QuotaPart.none;
}

/** The path of the znode whose quota a limits or stats znode belongs to; empty for the root's. */
export function quotaSubject(bytes: Uint8Array, start: number, end: number): Uint8Array {
  let slashAt = end - 1;
  while (bytes[slashAt] !== slash) slashAt--;
  return bytes.slice(start + quotaPath.length, slashAt);
}

/** The path of the znode that holds all quotas. */
export const quotaPath: Uint8Array = utf8('/zookeeper/quota');

const slash = 0x2f;
const limitsName: Uint8Array = utf8('/zookeeper_limits');
const statsName: Uint8Array = utf8('/zookeeper_stats');

function startsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start <= prefix.length || bytes[start + prefix.length] !== slash) return false;
  return isSame(prefix, bytes, start, start + prefix.length);
}

function endsWith(bytes: Uint8Array, start: number, end: number, suffix: Uint8Array): boolean {
  return end - start >= suffix.length && isSame(suffix, bytes, end - suffix.length, end);
}

function isSame(a: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (a.length !== end - start) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== bytes[start + i]) return false;
  return true;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
