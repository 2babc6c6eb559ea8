import type { Acl } from './acl.ts';
import type { CreateMode } from './operations/create.ts';
import type { PersistentWatchMode, WatchSelection } from './operations/watching.ts';
import type { RequestOptions } from './request.ts';
import type { Watcher } from './watches.ts';

/** Options of reads that can watch. */
export interface WatchOptions extends RequestOptions {
  /** Told once, of the next change to what was read (`exists`: to the znode, or of its creation). */
  readonly watch?: Watcher;
}

/** Options of `create`. */
export interface CreateOptions extends RequestOptions {
  /** Default `persistent`. */
  readonly mode?: CreateMode;
  /** Default `openAcl`: anyone may do anything. */
  readonly acl?: Acl;
  /** For the modes with a TTL: how long the znode may stay unchanged and childless, ms. */
  readonly ttlMs?: number;
  /**
   * True: exactly one znode is created however often the connection is lost on the way. Its name begins with `_c_<uuid>-`, by
   * which it is found when the answer was lost, as with Curator's `withProtection`. The call goes on until it is answered,
   * given up (then the znode may be there) or the session ends. Default false.
   */
  readonly protection?: boolean;
}

/** Options of writes that expect a version. */
export interface VersionOptions extends RequestOptions {
  /** The version that must be met, else the call fails with `BadVersionError`. Default -1: any. */
  readonly version?: number;
}

/** Options of `addWatch`. */
export interface AddWatchOptions extends RequestOptions {
  /** Default `persistentRecursive`. */
  readonly mode?: PersistentWatchMode;
}

/** Options of `removeWatches`. */
export interface RemoveWatchesOptions extends RequestOptions {
  /** Which of our watches on the path. Default `any`: all. */
  readonly type?: WatchSelection;
  /** Only this watcher. Default: all watchers of that type. */
  readonly watcher?: Watcher;
  /** True: without a connection the watches are removed on our side alone. Default false. */
  readonly local?: boolean;
}

/** Options of `checkWatches`. */
export interface CheckWatchesOptions extends RequestOptions {
  /** Default `any`. */
  readonly type?: WatchSelection;
}
