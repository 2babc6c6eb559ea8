/**
 * Branded scalars: the numbers that must not be mixed up.
 *
 * 64-bit values follow docs/decisions/0001-64-bit-ids.md: a zxid and a time are doubles (they stay
 * below 2^53, which every reader enforces); a session id, an ephemeral owner and a digest use all
 * 64 bits and are two signed 32-bit numbers, `…Hi` and `…Lo`.
 */

declare const brand: unique symbol;

/** A transaction id: epoch in the high 32 bits, counter in the low 32. At most 2^53 - 1; -1 is "none". */
export type Zxid = number & { readonly [brand]: 'Zxid' };

/** A client's request number on one connection; negative ones are ZooKeeper's special packets. */
export type Xid = number & { readonly [brand]: 'Xid' };

/** The largest zxid that a double holds exactly: epoch 2^21 - 1, counter 2^32 - 1. */
export const zxidMax: number = Number.MAX_SAFE_INTEGER;

const two32 = 4294967296;

/** Names a number a zxid. The caller knows that it is one. */
export function asZxid(value: number): Zxid {
  return value as Zxid;
}

/** The epoch a zxid belongs to. */
export function epochOf(zxid: Zxid): number {
  return Math.floor(zxid / two32);
}

/** The counter within the epoch. */
export function counterOf(zxid: Zxid): number {
  return zxid % two32;
}

/** The zxid with this epoch and counter. */
export function makeZxid(epoch: number, counter: number): Zxid {
  return (epoch * two32 + counter) as Zxid;
}

/** `0x` and lower-case hexadecimal digits, as ZooKeeper prints zxids. */
export function formatZxid(zxid: number): string {
  return zxid < 0 ? `-0x${(-zxid).toString(16)}` : `0x${zxid.toString(16)}`;
}

/** A 64-bit id in two halves as ZooKeeper prints it: lower-case hexadecimal without leading zeros. */
export function formatLong(hi: number, lo: number): string {
  const high = hi >>> 0;
  const low = (lo >>> 0).toString(16);
  return high === 0 ? `0x${low}` : `0x${high.toString(16)}${low.padStart(8, '0')}`;
}
