import { ErrorCode } from '@meerkat/protocol';
import type { AddWatchOptions, RemoveWatchesOptions, WatchOptions } from './call-options.ts';
import {
  AuthFailedError,
  BadArgumentsError,
  NoNodeError,
  SessionExpiredError,
  ZooKeeperError,
} from './errors.ts';
import type { Zxid } from './ids.ts';
import type { PersistentWatchMode } from './operations/watching.ts';
import type { RequestOptions } from './request.ts';
import { type ConnectionState, isConnected, isFinal } from './states.ts';
import type { WatchEvent, Watcher } from './watches.ts';

/**
 * What a stream of watch events listens to. `persistent` (the znode and the list of its children) and
 * `persistentRecursive` (it and all below) tell every change and need a server from 3.6 on. `data` (the znode's creation,
 * change and deletion) and `children` (the list of its children) are one-shot watches that are set again before each event
 * is told: any server has them, and changes that follow close upon each other may be told as one.
 */
export type WatchStreamMode = PersistentWatchMode | 'data' | 'children';

/** A change that a server told. */
export interface WatchChange {
  readonly type: 'nodeCreated' | 'nodeDeleted' | 'nodeDataChanged' | 'nodeChildrenChanged';
  /** The znode it happened to. */
  readonly path: string;
  /** The transaction that caused it; -1n when the server does not say, as in `WatchEvent.zxid`. */
  readonly zxid: Zxid;
}

/** Changes may have been missed: whoever keeps a copy of what is watched reads it again. */
export interface WatchGap {
  readonly type: 'gap';
  /** The path that is watched. */
  readonly path: string;
  /**
   * `reconnected`: the connection was lost meanwhile, and servers do not make up for what persistent watches missed.
   * `lagged`: more than `lagMax` changes waited for their reader, and were dropped.
   */
  readonly reason: 'reconnected' | 'lagged';
}

/** What a stream of watch events yields. */
export type WatchNews = WatchChange | WatchGap;

/** Options of `ZooKeeper.watch`. */
export interface WatchStreamOptions extends RequestOptions {
  /** Default `persistentRecursive`. */
  readonly mode?: WatchStreamMode;
  /** How many changes may wait for their reader; then all that wait become one gap. Default: option `watchLagMax`. */
  readonly lagMax?: number;
}

/** What a stream asks of its client. */
export interface WatchSource {
  readonly state: ConnectionState;
  /** Whether the client sets watches anew on a new connection. */
  readonly rearmsWatches: boolean;
  addWatch(path: string, watcher: Watcher, options?: AddWatchOptions): Promise<void>;
  exists(path: string, options?: WatchOptions): Promise<unknown>;
  getChildren(path: string, options?: WatchOptions): Promise<unknown>;
  removeWatches(path: string, options?: RemoveWatchesOptions): Promise<void>;
  connected(): Promise<void>;
  onState(listener: (state: ConnectionState) => void): () => void;
}

/**
 * The events of one watch, for `for await`. `ZooKeeper.watch` makes it, when the server has set the watch: what is read after
 * that is no older than the first event.
 *
 * It ends when it is closed (`break`, `return`, `close`, `await using`), when its signal aborts, when the client is closed, or
 * when `removeWatches` took its watch; it fails when the session expires or the watch cannot be set again.
 */
export class WatchStream implements AsyncIterableIterator<WatchNews>, AsyncDisposable {
  /** The path that is watched. */
  readonly path: string;
  readonly mode: WatchStreamMode;
  readonly #source: WatchSource;
  readonly #lagMax: number;
  readonly #signal: AbortSignal | undefined;
  #news: WatchNews[] = [];
  #readers: Reader[] = [];
  #ended: { error: Error | null } | null = null;
  #closing: Promise<void> | null = null;
  #isLost = false;
  #stopListening: () => void = () => {};

  constructor(source: WatchSource, path: string, options: WatchStreamOptions, lagMax: number) {
    this.#source = source;
    this.path = path;
    this.mode = options.mode ?? 'persistentRecursive';
    this.#lagMax = options.lagMax ?? lagMax;
    this.#signal = options.signal;
  }

  /** Sets the watch; the stream is ready when this resolves. Called once, by `ZooKeeper.watch`. */
  async start(options: RequestOptions): Promise<this> {
    this.#stopListening = this.#source.onState((state) => this.#onState(state));
    try {
      await this.#arm(options);
    } catch (error) {
      this.#end(null);
      throw error;
    }
    this.#signal?.addEventListener('abort', this.#onAbort);
    if (this.#signal?.aborted === true) this.#onAbort();
    return this;
  }

  /** How many events wait for their reader. */
  get waiting(): number {
    return this.#news.length;
  }

  /**
   * The next event.
   *
   * @throws SessionExpiredError | AuthFailedError when the session is over, ZooKeeperError when the watch cannot be set again
   */
  next(): Promise<IteratorResult<WatchNews, undefined>> {
    const news = this.#news.shift();
    if (news !== undefined) return Promise.resolve({ done: false, value: news });
    if (this.#ended === null) {
      return new Promise((resolve, reject) => {
        this.#readers.push({ resolve, reject });
      });
    }
    const { error } = this.#ended;
    this.#ended = { error: null };
    return error === null ? Promise.resolve(done) : Promise.reject(error);
  }

  /** Ends the stream and takes its watch back. */
  async return(): Promise<IteratorResult<WatchNews, undefined>> {
    await this.close();
    return done;
  }

  /** Ends the stream; resolves when its watch is taken back. Events that wait are dropped. Does not fail. */
  close(): Promise<void> {
    this.#closing ??= this.#takeBack();
    this.#end(null);
    this.#news = [];
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #onAbort = (): void => void this.close();

  readonly #onEvent = (event: WatchEvent): void => {
    if (this.#ended !== null || event.type === 'sessionEnded') return;
    switch (event.type) {
      case 'dataWatchRemoved':
      case 'childWatchRemoved':
      case 'persistentWatchRemoved':
        this.#end(null);
        return;
      default:
    }
    // A child watch that had to begin with a look for the znode may hear of its data too.
    if (this.mode === 'children' && event.type === 'nodeDataChanged') return;
    // Set again before the event is told: what is read because of it is read with the watch in place.
    if (isOneShot(this.mode)) void this.#rearm(false);
    const { type, path, zxid } = event;
    this.#push({ type, path, zxid });
  };

  #onState(state: ConnectionState): void {
    if (this.#ended !== null) return;
    if (isFinal(state)) this.#end(endOf(state, this.path));
    else if (!isConnected(state)) this.#isLost = true;
    else if (this.#isLost) this.#onReconnected();
  }

  /** Servers make up for what one-shot watches missed, not for what persistent ones did. */
  #onReconnected(): void {
    this.#isLost = false;
    if (!this.#source.rearmsWatches) void this.#rearm(true);
    else if (!isOneShot(this.mode)) this.#pushGap('reconnected');
  }

  /** Sets the watch again, however often the connection is lost on the way; then, if it was, tells of a gap. */
  async #rearm(hasMissed: boolean): Promise<void> {
    let missed = hasMissed;
    while (this.#ended === null) {
      try {
        await this.#arm({});
        if (missed) this.#pushGap('reconnected');
        if (this.#closing !== null) await this.#takeBack();
        return;
      } catch (error) {
        if (!isUnanswered(error)) {
          this.#end(error as Error);
          return;
        }
      }
      missed = true;
      // It fails when the session is over, which the state tells.
      await this.#source.connected().catch(() => {});
    }
  }

  async #arm(options: RequestOptions): Promise<void> {
    const { path, mode } = this;
    const reading = { ...options, watch: this.#onEvent };
    if (mode === 'data') await this.#source.exists(path, reading);
    else if (mode === 'children') await this.#armChildren(reading);
    else await this.#source.addWatch(path, this.#onEvent, { ...options, mode });
  }

  /** A list of children cannot be watched while the znode does not exist: then its creation is. */
  async #armChildren(reading: WatchOptions): Promise<void> {
    for (;;) {
      try {
        await this.#source.getChildren(this.path, reading);
        return;
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      if ((await this.#source.exists(this.path, reading)) === null) return;
    }
  }

  async #takeBack(): Promise<void> {
    for (const type of selections[this.mode]) {
      const options = { type, watcher: this.#onEvent, local: true };
      // There may be none any more; and a lost connection takes its watches along.
      await this.#source.removeWatches(this.path, options).catch(() => {});
    }
  }

  #pushGap(reason: WatchGap['reason']): void {
    if (this.#news.at(-1)?.type !== 'gap') this.#push({ type: 'gap', path: this.path, reason });
  }

  #push(news: WatchNews): void {
    if (this.#ended !== null) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: news });
      return;
    }
    if (this.#news.length < this.#lagMax) this.#news.push(news);
    else this.#news = [{ type: 'gap', path: this.path, reason: 'lagged' }];
  }

  #end(error: Error | null): void {
    if (this.#ended !== null) return;
    this.#stopListening();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    const [first, ...others] = this.#readers;
    this.#readers = [];
    this.#ended = { error: first === undefined ? error : null };
    if (error === null) first?.resolve(done);
    else first?.reject(error);
    for (const reader of others) reader.resolve(done);
  }
}

/**
 * Refuses options that no stream takes.
 *
 * @throws BadArgumentsError when the mode is unknown or `lagMax` is not a positive whole number
 */
export function validateWatchStream(path: string, options: WatchStreamOptions): void {
  const { mode = 'persistentRecursive', lagMax = 1 } = options;
  if (!Object.hasOwn(selections, mode)) throw bad(path, `mode ${JSON.stringify(mode)}`, known);
  if (!Number.isSafeInteger(lagMax) || lagMax < 1)
    throw bad(path, `lagMax ${String(lagMax)}`, 'it must be a whole number from 1');
}

interface Reader {
  readonly resolve: (result: IteratorResult<WatchNews, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

const done: IteratorResult<WatchNews, undefined> = { done: true, value: undefined };

/** What to remove to take back the watch of each mode. */
const selections = {
  data: ['data'],
  children: ['children', 'data'],
  persistent: ['persistent'],
  persistentRecursive: ['persistentRecursive'],
} as const;

const known = `it must be one of ${Object.keys(selections).join(', ')}`;

function isOneShot(mode: WatchStreamMode): boolean {
  return mode === 'data' || mode === 'children';
}

function isUnanswered(error: unknown): boolean {
  if (!(error instanceof ZooKeeperError)) return false;
  return error.code === ErrorCode.connectionLoss || error.code === ErrorCode.requestTimeout;
}

/** What a reader gets at the end of the session: the end when it was asked for, else why. */
function endOf(state: ConnectionState, path: string): ZooKeeperError | null {
  if (state.status === 'closed') return null;
  const message = `Cannot watch ${path}: current value is a client that is ${state.status}`;
  return state.status === 'authFailed'
    ? new AuthFailedError({ path, message })
    : new SessionExpiredError({ path, message });
}

function bad(path: string, value: string, why: string): BadArgumentsError {
  const message = `Cannot watch ${path}: current value is ${value}, and ${why}`;
  return new BadArgumentsError({ path, message });
}
