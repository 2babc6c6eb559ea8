import { ConnectionLossError, NoNodeError } from '@meerkat/client';
import {
  type Held,
  type HeldTogether,
  HoldLostError,
  type LostWhen,
  MultiLock,
  Mutex,
  type OrderedLock,
  ReadWriteLock,
  Semaphore,
  WaitTimeoutError,
} from '@meerkat/client/recipes';
import { alone, type Holding, HoldLedger, readersTogether } from './hold-ledger.ts';
import type { RecipeProcess } from './recipe-process.ts';
import { RecipeScenario, type ScenarioHost } from './recipe-scenario.ts';

/** What the lock scenarios share: waiting for a lock, working under it, giving it back. */
export abstract class LockScenario extends RecipeScenario {
  protected abstract readonly ledger: HoldLedger;
  /** Where the znodes of those who hold or wait lie: nothing is left there in the end. */
  protected abstract readonly lines: readonly string[];
  protected readonly lostWhen: LostWhen;

  constructor(host: ScenarioHost) {
    super(host);
    this.lostWhen = host.random.percent(50) ? 'disconnected' : 'expired';
  }

  async live(process: RecipeProcess): Promise<void> {
    await process.ensure('/resource');
    const take = this.makeTake(process);
    while (!this.isEnding) {
      await process.sleep(20 + process.random.below(400));
      const held = await this.wait(process, take);
      if (held !== null) await this.work(process, held);
    }
    this.idle.add(process.alias);
  }

  /** How a process takes the lock: which kind, and for how long it waits. */
  protected abstract makeTake(process: RecipeProcess): Take;

  /** Waits for the lock; null when it gave up. */
  protected async wait(process: RecipeProcess, take: Take): Promise<Taken | null> {
    const { random } = process;
    const limits =
      random.percent(25) && !this.host.isCalm ? { timeoutMs: 1 + random.below(1500) } : {};
    try {
      return await take(limits);
    } catch (error) {
      if (!(error instanceof WaitTimeoutError) && !(error instanceof HoldLostError)) throw error;
      const isOver = this.host.truth.isSessionOver(process.zk.sessionId);
      this.demand(error instanceof WaitTimeoutError || isOver, 'nobody else leaves for us', () => {
        return `${process.alias}: ${error.message}`;
      });
      this.count('gave up');
      return null;
    }
  }

  /** Works under the lock as a careful or a careless holder does, and gives it back. */
  protected async work(process: RecipeProcess, { held, kind }: Taken): Promise<void> {
    const { random } = process;
    const holding = this.ledger.acquired(process, held, kind);
    const isCareless = random.percent(20);
    for (let left = random.below(5); left > 0; left--) {
      await process.sleep(random.below(60));
      if (held.lost.aborted && !isCareless) break;
      // A request may be under way for long, and arrive when nobody expects it any more.
      const underWayMs = random.percent(10) ? random.below(3000) : random.below(20);
      this.host.after(underWayMs, () => void this.ledger.use(holding));
      if (random.percent(30)) await this.writeChecked(process, held, holding);
    }
    await this.release(process, held, holding);
    this.serve(process);
  }

  protected async release(process: RecipeProcess, held: Held, holding: Holding): Promise<void> {
    this.ledger.releasing(holding);
    await held.release();
    // Whoever ends its session, or finds that it has ended, waits for nothing more.
    this.demand(process.isEnding || this.host.truth.isGone(holding), 'released is gone', () => {
      return `${holding.path} of ${holding.who} is still there`;
    });
  }

  /** Writes to the server itself, on condition that the lock is held. */
  protected async writeChecked(
    process: RecipeProcess,
    held: Held,
    holding: Holding,
  ): Promise<void> {
    const wasGone = this.host.truth.isGone(holding);
    try {
      await process.zk.multi([
        held.check,
        { op: 'setData', path: '/resource', data: String(holding.czxid) },
      ]);
      this.count('checked writes');
      this.demand(!wasGone, 'a checked write is refused once the hold is gone', () => {
        return `${holding.who} wrote after ${holding.path} was gone`;
      });
    } catch (error) {
      if (error instanceof ConnectionLossError) return;
      if (!(error instanceof NoNodeError)) throw error;
      this.demand(this.host.truth.isGone(holding), 'who holds may write', () => {
        return `${holding.who} was refused, and ${holding.path} is there`;
      });
    }
  }

  checkEnd(): void {
    for (const line of this.lines) {
      const left = this.host.truth.children(line);
      this.demand(left.length === 0, 'nothing is left behind', () => `${line}: ${left.join()}`);
    }
  }
}

/** Takes a lock, within limits. */
export type Take = (limits: { timeoutMs?: number }) => Promise<Taken | null>;

/** A lock that was taken, and of which kind it is. */
export interface Taken {
  readonly held: Held;
  readonly kind: string;
}

/** An exclusive lock. */
export class MutexScenario extends LockScenario {
  protected readonly ledger: HoldLedger = new HoldLedger(this, alone, true);
  protected readonly lines: readonly string[] = ['/locks/one'];

  protected makeTake(process: RecipeProcess): Take {
    const { lostWhen } = this;
    const layout = process.random.percent(20) ? 'kazoo' : 'curator';
    const mutex = new Mutex(process.zk, '/locks/one', { lostWhen, layout });
    return async (limits) => {
      const isTried = process.random.percent(20);
      const held = await (isTried ? mutex.tryAcquire(limits) : mutex.acquire(limits));
      return held === null ? null : { held, kind: 'lock' };
    };
  }
}

/** Readers and writers. */
export class ReadWriteLockScenario extends LockScenario {
  protected readonly ledger: HoldLedger = new HoldLedger(this, readersTogether, false);
  protected readonly lines: readonly string[] = ['/locks/shared'];

  protected makeTake(process: RecipeProcess): Take {
    const lock = new ReadWriteLock(process.zk, '/locks/shared', { lostWhen: this.lostWhen });
    return async (limits) => {
      const isWriter = process.random.percent(40);
      const side: OrderedLock = isWriter ? lock.write : lock.read;
      return { held: await side.acquire(limits), kind: isWriter ? 'write' : 'read' };
    };
  }
}

/** So many leases. */
export class SemaphoreScenario extends LockScenario {
  readonly #leasesMax = 1 + this.host.random.below(3);
  protected readonly ledger: HoldLedger = new HoldLedger(
    this,
    (holdings) => holdings.length <= this.#leasesMax,
    false,
  );
  protected readonly lines: readonly string[] = ['/semaphore/leases', '/semaphore/locks'];

  protected makeTake(process: RecipeProcess): Take {
    const options = { leasesMax: this.#leasesMax, lostWhen: this.lostWhen };
    const semaphore = new Semaphore(process.zk, '/semaphore', options);
    return async (limits) => ({ held: await semaphore.acquire(limits), kind: 'lease' });
  }
}

/** Several locks at once, in an order that all keep. */
export class MultiLockScenario extends LockScenario {
  protected readonly lines: readonly string[] = ['/multi/a', '/multi/b', '/multi/c'];
  readonly #ledgers = new Map(this.lines.map((line) => [line, new HoldLedger(this, alone, true)]));

  /** Not asked: each lock has one of its own. */
  protected get ledger(): HoldLedger {
    throw new Error('several locks have several ledgers');
  }

  protected makeTake(): Take {
    throw new Error('several locks are not taken as one');
  }

  override async live(process: RecipeProcess): Promise<void> {
    const { random, zk } = process;
    const { lostWhen } = this;
    while (!this.isEnding) {
      await process.sleep(20 + random.below(400));
      const lines = this.lines.filter(() => random.percent(70));
      const lock = new MultiLock(
        zk,
        lines.map((line) => new Mutex(zk, line, { lostWhen })),
      );
      const taken = await this.wait(process, async (limits) => {
        await this.#workTogether(process, lines, await lock.acquire(limits));
        return null;
      });
      if (taken !== null) throw new Error('nothing is left to work under');
    }
    this.idle.add(process.alias);
  }

  async #workTogether(
    process: RecipeProcess,
    lines: readonly string[],
    together: HeldTogether,
  ): Promise<void> {
    const holdings = together.holds.map((held, index) => {
      const ledger = this.#ledgers.get(lines[index] as string) as HoldLedger;
      return { ledger, held, holding: ledger.acquired(process, held) };
    });
    for (let left = process.random.below(4); left > 0; left--) {
      await process.sleep(process.random.below(60));
      const areHeld = holdings.every(({ held }) => held.isHeld);
      this.demand(together.isHeld === areHeld, 'held is what is held in all', () => process.alias);
      if (together.lost.aborted) break;
      for (const { ledger, holding } of holdings) ledger.use(holding);
    }
    for (const { ledger, holding } of holdings) ledger.releasing(holding);
    await together.release();
    const left = holdings.filter(({ holding }) => !this.host.truth.isGone(holding));
    this.demand(process.isEnding || left.length === 0, 'released is gone', () => {
      return left.map(({ holding }) => holding.path).join();
    });
    this.serve(process);
  }
}
