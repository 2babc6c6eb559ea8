import { type Acl, openAcl } from '../acl.ts';
import { BadArgumentsError, NodeExistsError, NoNodeError } from '../errors.ts';
import type { MultiOperation } from '../operations/multi.ts';
import type { Stat } from '../stat.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import type { Held } from './hold.ts';
import { childPath, createParents } from './parents.ts';
import { deleteOwn, readInStep, uuid } from './protective-create.ts';
import { type LostWhen, Tenure } from './tenure.ts';
import {
  isUnanswered,
  orAborted,
  untilAnswered,
  untilFired,
  type WaitOptions,
  within,
} from './waiting.ts';

/** Options of `WorkerId.claim`. */
export interface WorkerIdOptions extends WaitOptions {
  /** The ids are 0 to `workersMax` - 1. Default 1024. */
  readonly workersMax?: number;
  /** Default `expired`. */
  readonly lostWhen?: LostWhen;
  /** Default `openAcl`. */
  readonly acl?: Acl;
}

/**
 * A small number that no other process has at the same time.
 *
 * Guarantee: the server gives a number to one session at a time, and the next holder of the same number has a greater
 * token. A holder may learn late that it holds no more, as with a lock: stop at `lost`, check the `token`, or put
 * `check` into a transaction. Ids made of it stay unique all the same when they are made by `SnowflakeIds`.
 *
 * ```ts
 * await using worker = await WorkerId.claim(zk, '/workers', { workersMax: 64 });
 * console.log(worker.id, worker.token);
 * ```
 *
 * Layout: an ephemeral child for each, its name the number in ten digits, that holds an id of the claim.
 */
export class WorkerId implements Held {
  readonly id: number;
  readonly path: string;
  readonly token: bigint;
  readonly #zk: ZooKeeper;
  readonly #tenure: Tenure;
  #releasing: Promise<void> | null = null;

  private constructor(zk: ZooKeeper, claimed: Claimed, lostWhen: LostWhen) {
    this.id = claimed.id;
    this.path = claimed.path;
    this.token = claimed.stat.czxid;
    this.#zk = zk;
    this.#tenure = new Tenure(zk, `the number ${claimed.path}`, lostWhen);
    this.#watch();
  }

  /**
   * Takes the smallest number that is free, and waits for one when none is.
   *
   * @throws WaitTimeoutError; BadArgumentsError; ZooKeeperError; or the signal's reason
   */
  static claim(zk: ZooKeeper, path: string, options: WorkerIdOptions = {}): Promise<WorkerId> {
    const { workersMax = 1024, lostWhen = 'expired', acl = openAcl } = options;
    if (!Number.isInteger(workersMax) || workersMax < 1) {
      const message = `Cannot claim a number in ${path}: current value is workersMax ${workersMax}, it must be 1 or more`;
      throw new BadArgumentsError({ message });
    }
    return within(zk, options, `claim a number in ${path}`, async (signal) => {
      const mark = uuid(zk);
      for (;;) {
        const taken = new Set(await namesIn(zk, path, signal));
        for (let id = 0; id < workersMax; id++) {
          if (taken.has(nameOfId(id))) continue;
          const claimed = await tryClaim(zk, { path, id, mark, acl, signal });
          if (claimed !== null) return new WorkerId(zk, claimed, lostWhen);
        }
        await untilOneLeaves(zk, path, workersMax, signal);
      }
    });
  }

  get lost(): AbortSignal {
    return this.#tenure.lost;
  }

  get isHeld(): boolean {
    return this.#tenure.isHeld;
  }

  get check(): MultiOperation {
    return { op: 'check', path: this.path };
  }

  release(): Promise<void> {
    this.#tenure.end();
    this.#releasing ??= this.#giveBack();
    return this.#releasing;
  }

  /** `await using worker = …`: gives it back at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #giveBack(): Promise<void> {
    await deleteOwn(this.#zk, this.path, ({ stat }) => stat.czxid === this.token);
  }

  /** Somebody may delete it. */
  #watch(): void {
    if (!this.isHeld) return;
    const watch = (): void => this.#watch();
    untilAnswered(this.#zk, () => this.#zk.exists(this.path, { watch })).then(
      (stat) => {
        if (stat?.czxid !== this.token) this.#tenure.lose('a znode that was deleted');
      },
      (error) => this.#tenure.lose('a session that is over', error),
    );
  }
}

interface Claimed {
  readonly id: number;
  readonly path: string;
  readonly stat: Stat;
}

interface Claim {
  readonly path: string;
  readonly id: number;
  readonly mark: string;
  readonly acl: Acl;
  readonly signal: AbortSignal;
}

/** Null when somebody else was faster. When it fails, the number is not left taken. */
async function tryClaim(zk: ZooKeeper, claim: Claim): Promise<Claimed | null> {
  const path = childPath(claim.path, nameOfId(claim.id));
  try {
    const stat = await createOrFind(zk, path, claim);
    return stat === null ? null : { id: claim.id, path, stat };
  } catch (error) {
    deleteOwn(zk, path, ({ data }) => isMarked(data, claim.mark)).catch(() => {});
    throw error;
  }
}

/** The Stat of our znode; null when another's stands there. */
async function createOrFind(zk: ZooKeeper, path: string, claim: Claim): Promise<Stat | null> {
  const { mark, acl, signal } = claim;
  for (;;) {
    signal.throwIfAborted();
    try {
      await zk.create(path, mark, { mode: 'ephemeral', acl });
    } catch (error) {
      if (error instanceof NoNodeError) {
        await createParents(zk, path, { acl, signal });
        continue;
      }
      if (isUnanswered(error)) {
        await zk.connected({ signal });
        continue;
      }
      if (!(error instanceof NodeExistsError)) throw error;
    }
    try {
      // Ours, too, when the answer to an earlier attempt was lost.
      const { data, stat } = await orAborted(readInStep(zk, path), signal);
      return isMarked(data, mark) ? stat.copy() : null;
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
  }
}

function isMarked(data: Uint8Array | null, mark: string): boolean {
  return new TextDecoder().decode(data ?? undefined) === mark;
}

async function namesIn(zk: ZooKeeper, path: string, signal: AbortSignal): Promise<string[]> {
  try {
    return await untilAnswered(zk, () => zk.getChildren(path), signal);
  } catch (error) {
    if (error instanceof NoNodeError) return [];
    throw error;
  }
}

function untilOneLeaves(
  zk: ZooKeeper,
  path: string,
  workersMax: number,
  signal: AbortSignal,
): Promise<void> {
  const read = async (watch: () => void): Promise<boolean> => {
    const names = await untilAnswered(zk, () => zk.getChildren(path, { watch }), signal);
    const taken = new Set(names);
    for (let id = 0; id < workersMax; id++) if (!taken.has(nameOfId(id))) return false;
    return true;
  };
  return untilFired(zk, { path, type: 'children', signal, read });
}

/** The name of a number: ten digits. */
export function nameOfId(id: number): string {
  return `${id}`.padStart(10, '0');
}
