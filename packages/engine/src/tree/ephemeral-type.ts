/**
 * What the 64 bits of a persisted `ephemeralOwner` mean: nothing, a session, a container, a TTL.
 * Source: ZooKeeper's `EphemeralType.java` and `EphemeralTypeEmulate353.java`.
 */

import { JuteError } from '@meerkat/protocol';

/** The kinds of znodes that the tree tells apart. */
export const NodeKind = { persistent: 0, ephemeral: 1, container: 2, ttl: 3 } as const;

/** One of the kinds. */
export type NodeKind = (typeof NodeKind)[keyof typeof NodeKind];

/** Which encodings of `ephemeralOwner` are in force. */
export interface EphemeralTypeOptions {
  /** `zookeeper.extendedTypesEnabled`: a top byte of 0xff marks an extended type. */
  readonly extendedTypesEnabled: boolean;
  /** `zookeeper.emulate353TTLNodes`: any negative owner but the container's is a TTL. */
  readonly emulate353TtlNodes: boolean;
}

/** A 64-bit owner in two signed halves. */
export interface EphemeralOwner {
  readonly hi: number;
  readonly lo: number;
}

/** The owner of a container: the smallest 64-bit integer, `0x8000000000000000`. */
export const containerOwner: EphemeralOwner = { hi: -0x80000000, lo: 0 };

/** The longest time to live: 40 bits of milliseconds, about 34 years. */
export const ttlMaxMs = 0xff_ffff_ffff;

/** The largest server id whose sessions cannot be taken for extended types. */
export const extendedServerIdMax = 0xfe;

/** An owner that claims an extended type which is not known: the data is from a later version. */
export class EphemeralOwnerError extends JuteError {
  override readonly name: string = 'EphemeralOwnerError';
}

/**
 * The kind of a znode with this persisted owner.
 *
 * @throws EphemeralOwnerError when extended types are on and the feature bits are not those of TTL
 */
export function nodeKindOf(hi: number, lo: number, options: EphemeralTypeOptions): NodeKind {
  if ((hi | lo) === 0) return NodeKind.persistent;
  const isContainer = hi === containerOwner.hi && lo === containerOwner.lo;
  if (options.extendedTypesEnabled) {
    if (options.emulate353TtlNodes && hi < 0 && !isContainer) return NodeKind.ttl;
    if (hi >>> 24 === 0xff) {
      if (featureOf(hi) === 0) return NodeKind.ttl;
      const owner = `0x${(hi >>> 0).toString(16)}${(lo >>> 0).toString(16).padStart(8, '0')}`;
      throw new EphemeralOwnerError(
        `Cannot tell the kind of a znode: current ephemeralOwner is ${owner}, of an extended type ` +
          'that this version does not know. Use a server of the version that wrote it.',
      );
    }
  }
  return isContainer ? NodeKind.container : NodeKind.ephemeral;
}

/**
 * Whether this persisted owner is a session: its znode goes with the session and has no children.
 *
 * @throws EphemeralOwnerError as `nodeKindOf`
 */
export function isEphemeralOwner(hi: number, lo: number, options: EphemeralTypeOptions): boolean {
  return nodeKindOf(hi, lo, options) === NodeKind.ephemeral;
}

/**
 * The owner that stands for a time to live, given as a 64-bit number of milliseconds in two halves.
 * Null unless it is more than 0 and at most `ttlMaxMs`.
 */
export function ttlOwner(ttlHi: number, ttlLo: number): EphemeralOwner | null {
  if (ttlHi < 0 || ttlHi > 0xff || (ttlHi | ttlLo) === 0) return null;
  return { hi: 0xff000000 | ttlHi, lo: ttlLo };
}

/**
 * The time to live in an owner, ms: its low 40 bits. Java takes 40 bits under 3.5.3 emulation too,
 * although 3.5.3 itself wrote 60.
 */
export function ttlMsOf(hi: number, lo: number): number {
  return (hi & 0xff) * 0x1_0000_0000 + (lo >>> 0);
}

/** The 16 bits between the mark and the value. */
function featureOf(hi: number): number {
  return (hi >>> 8) & 0xffff;
}
