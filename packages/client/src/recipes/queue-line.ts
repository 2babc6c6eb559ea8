import { type Acl, openAcl } from '../acl.ts';
import { NodeExistsError, NoNodeError } from '../errors.ts';
import { validatePath } from '../paths.ts';
import type { TimerHandle } from '../ports.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { childPath, createParents } from './parents.ts';
import { uuid } from './protective-create.ts';
import { isSessionEnded, isUnanswered, untilAnswered, untilFired } from './waiting.ts';

/** Where a queue's znodes lie and which come first. */
export interface QueueLayout {
  readonly path: string;
  /** What the names of items begin with; others are left alone. */
  readonly prefix: string;
  readonly acl?: Acl | undefined;
  /** Where those being worked on are marked; null: they are taken off at once. */
  readonly lockPath: string | null;
  /** How long an item is still to be left, ms; 0: it is due. */
  readonly dueInMs: (name: string) => number;
}

/** A znode taken from a queue. */
export interface Claim {
  readonly path: string;
  readonly data: Uint8Array | null;
  /** The mark that says it is being worked on; null when it was taken off at once. */
  readonly lock: string | null;
  /** What is written in the mark: nobody else writes that. */
  readonly mark: string;
  /** The zxid of the mark: who takes the same item later has a greater one. Null without a mark. */
  readonly token: bigint | null;
}

/** The znodes of a queue, in the order of their names, and who takes which. What all queues share. */
export class QueueLine {
  readonly layout: QueueLayout;
  readonly #zk: ZooKeeper;
  /** Names seen at the last look that have not been tried since, the next one last. */
  #seen: string[] = [];

  constructor(zk: ZooKeeper, layout: QueueLayout) {
    validatePath(layout.path, 'make a queue of');
    if (layout.lockPath !== null) validatePath(layout.lockPath, 'lock the items of a queue at');
    this.#zk = zk;
    this.layout = layout;
  }

  /** Adds a znode. @throws ZooKeeperError; with `mayHaveHappened` nobody knows whether it was added */
  async put(name: string, data: Uint8Array | null): Promise<void> {
    const { path, acl = openAcl } = this.layout;
    for (;;) {
      try {
        await this.#zk.create(childPath(path, name), data, { mode: 'persistentSequential', acl });
        return;
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      await createParents(this.#zk, childPath(path, name), { acl });
    }
  }

  /** The first znode that is due, without taking it; null when there is none. */
  async peek(signal: AbortSignal): Promise<Uint8Array | null> {
    for (const name of (await this.#list(signal)).reverse()) {
      if (this.layout.dueInMs(name) > 0) continue;
      const data = await this.#read(childPath(this.layout.path, name), signal);
      if (data !== undefined) return data;
    }
    return null;
  }

  /** Takes the first znode that is due and that nobody else has; null when there is none. */
  async tryTake(signal: AbortSignal): Promise<Claim | null> {
    for (let isFresh = false; ; ) {
      const name = this.#seen.pop();
      if (name === undefined) {
        if (isFresh) return null;
        this.#seen = await this.#list(signal);
        isFresh = true;
        continue;
      }
      if (this.layout.dueInMs(name) > 0) {
        // Those behind it are due even later; and by then there may be others.
        this.#seen = [];
        if (isFresh) return null;
        continue;
      }
      const claim = await this.#claim(name, signal);
      if (claim !== null) return claim;
    }
  }

  /** As `tryTake`, waiting for one. */
  async take(signal: AbortSignal): Promise<Claim> {
    for (;;) {
      const claim = await this.tryTake(signal);
      if (claim !== null) return claim;
      await this.#untilChanged(signal);
    }
  }

  /**
   * The znode was dealt with: it goes, together with its mark.
   *
   * @throws SessionExpiredError when the session ended before it was certain that it went
   */
  async finish({ path, lock, mark }: Claim): Promise<void> {
    if (lock === null) return;
    try {
      await untilAnswered(this.#zk, () => this.#zk.delete(path));
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
    await this.#unmark(lock, mark, true);
  }

  /** The znode was not dealt with: somebody else may take it. */
  async giveBack({ lock, mark }: Claim): Promise<void> {
    if (lock !== null) await this.#unmark(lock, mark, true);
  }

  /** The names in the order of the queue, the first one last. */
  async #list(signal: AbortSignal, watch?: () => void): Promise<string[]> {
    const names = await this.#names(this.layout.path, signal, watch);
    const items = names.filter((name) => name.startsWith(this.layout.prefix));
    return items.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
  }

  /** The names under a path, which is made if need be: there must be something to watch. */
  async #names(path: string, signal: AbortSignal, watch?: () => void): Promise<string[]> {
    const options = watch === undefined ? { signal } : { signal, watch };
    for (;;) {
      try {
        return await untilAnswered(this.#zk, () => this.#zk.getChildren(path, options), signal);
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      const { acl = openAcl } = this.layout;
      await createParents(this.#zk, childPath(path, 'item'), { acl, signal });
    }
  }

  /** Waits until there may be something to take: a znode comes or becomes due, or the mark of one goes. */
  async #untilChanged(signal: AbortSignal): Promise<void> {
    const { path, lockPath, dueInMs } = this.layout;
    const { clock } = this.#zk.ports;
    let timer: TimerHandle | null = null;
    let watcher = (): void => {};
    const read = async (watch: () => void): Promise<boolean> => {
      watcher = watch;
      const [names, locks] = await Promise.all([
        this.#list(signal, watch),
        lockPath === null ? [] : this.#names(lockPath, signal, watch),
      ]);
      const locked = new Set(locks);
      const free = names.filter((name) => !locked.has(name));
      const nextInMs = Math.min(...free.slice(-1).map(dueInMs));
      if (nextInMs <= 0) return false;
      if (nextInMs < timerMsMax) timer = clock.startTimer(nextInMs, watch);
      return true;
    };
    try {
      await untilFired(this.#zk, { path, type: 'children', signal, read });
    } finally {
      if (timer !== null) clock.cancelTimer(timer);
      if (lockPath !== null) {
        const options = { type: 'children', watcher, local: true } as const;
        this.#zk.removeWatches(lockPath, options).catch(() => {});
      }
    }
  }

  /** What a znode holds; `undefined` when it is gone. */
  async #read(path: string, signal: AbortSignal): Promise<Uint8Array | null | undefined> {
    try {
      const get = (): ReturnType<ZooKeeper['getData']> => this.#zk.getData(path, { signal });
      const { data } = await untilAnswered(this.#zk, get, signal);
      return data?.slice() ?? null;
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  async #claim(name: string, signal: AbortSignal): Promise<Claim | null> {
    const { lockPath } = this.layout;
    const path = childPath(this.layout.path, name);
    if (lockPath !== null) return this.#lock(path, childPath(lockPath, name), signal);
    const data = await this.#read(path, signal);
    if (data === undefined) return null;
    try {
      await this.#zk.delete(path);
      return { path, data, lock: null, mark: '', token: null };
    } catch (error) {
      // Unanswered: whether it was us who took it, nobody knows. It is left to whoever still finds it.
      if (error instanceof NoNodeError || isUnanswered(error)) return null;
      throw error;
    }
  }

  async #lock(path: string, lock: string, signal: AbortSignal): Promise<Claim | null> {
    const mark = uuid(this.#zk);
    try {
      const token = await this.#mark(lock, mark, signal);
      if (token === null) return null;
      const data = await this.#read(path, signal);
      if (data !== undefined) return { path, data, lock, mark, token };
    } catch (error) {
      this.#unmark(lock, mark, false).catch(() => {});
      throw error;
    }
    await this.#unmark(lock, mark, true);
    return null;
  }

  /** Marks an item as being worked on, and returns the token. Null when somebody else has, another of this session included. */
  async #mark(lock: string, mark: string, signal: AbortSignal): Promise<bigint | null> {
    const { acl = openAcl } = this.layout;
    for (;;) {
      try {
        const { stat } = await this.#zk.createWithStat(lock, mark, { mode: 'ephemeral', acl });
        return stat.czxid;
      } catch (error) {
        if (error instanceof NodeExistsError) return await this.#tokenOf(lock, mark);
        if (error instanceof NoNodeError) await createParents(this.#zk, lock, { acl, signal });
        else if (isUnanswered(error)) await this.#zk.connected({ signal });
        else throw error;
      }
    }
  }

  /** The token of a mark if it is ours: of an attempt whose answer was lost. */
  async #tokenOf(lock: string, mark: string): Promise<bigint | null> {
    try {
      const { data, stat } = await untilAnswered(this.#zk, () => this.#zk.getData(lock));
      return data !== null && decoder.decode(data) === mark ? stat.czxid : null;
    } catch (error) {
      if (error instanceof NoNodeError) return null;
      throw error;
    }
  }

  /**
   * Takes our mark away, and never one that somebody else has set since: an attempt whose answer was lost may have made
   * room for it.
   *
   * @param isOurs whether the mark that is there is certainly ours
   */
  async #unmark(lock: string, mark: string, isOurs: boolean): Promise<void> {
    for (let isSure = isOurs; ; isSure = false) {
      try {
        // Before the look the server must have dealt with all that was asked of its predecessor.
        if (!isSure) await untilAnswered(this.#zk, () => this.#zk.sync(lock));
        if (!isSure && (await this.#tokenOf(lock, mark)) === null) return;
        await this.#zk.delete(lock);
        return;
      } catch (error) {
        if (error instanceof NoNodeError || isSessionEnded(error)) return;
        if (!isUnanswered(error)) throw error;
      }
    }
  }
}

/** A longer one would fire at once; before it does, the list will have changed. */
const timerMsMax = 0x7fffffff;

const decoder = new TextDecoder();
