/*
 * 64-bit ids as the public surface has them: bigints of a kind. A bigint of no kind will do where one is asked for, so tests
 * and stored values need no cast; one of another kind will not, so a session is never taken for a transaction.
 */

/** The id of a transaction: greater than those of all transactions before it. */
export type Zxid = bigint & { readonly '~kind'?: 'zxid' };

/** The id of a session, as `ephemeralOwner` and ZooKeeper's logs show it. */
export type SessionId = bigint & { readonly '~kind'?: 'session' };
