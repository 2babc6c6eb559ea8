import {
  DelayQueue,
  type DelayQueueOptions,
  PriorityQueue,
  SimpleQueue,
  WaitTimeoutError,
  type Work,
  WorkQueue,
  type WorkSource,
} from '@meerkat/client/recipes';
import { alone, HoldLedger } from './hold-ledger.ts';
import { isInterruption, type RecipeProcess } from './recipe-process.ts';
import { RecipeScenario } from './recipe-scenario.ts';

/** What became of an item. */
interface Item {
  /** `put` resolved: the queue has taken it over. */
  isAcknowledged: boolean;
  /** How often somebody got it. */
  taken: number;
  /** `done` resolved: it must not come again. */
  isDone: boolean;
}

/** What the queues share: producers that put numbered items, consumers that take them, and the books. */
abstract class QueueScenario extends RecipeScenario {
  protected readonly items: Map<string, Item> = new Map();

  /** Consumers go on until all is taken. */
  override get isFinished(): boolean {
    return super.isFinished && this.host.truth.children(this.path).length === 0;
  }

  override get waiting(): string {
    const left = this.host.truth.children(this.path);
    return `${super.waiting}; in the queue: ${left.join()}`;
  }

  async live(process: RecipeProcess): Promise<void> {
    const producing = this.#produce(process);
    const consuming = this.consume(process);
    await Promise.all([producing, consuming]);
  }

  protected readonly path: string = '/queue/items';

  /** Puts an item by a fresh client of this life. */
  protected abstract makePut(process: RecipeProcess): (item: string) => Promise<void>;

  /** Takes items for ever. */
  protected abstract consume(process: RecipeProcess): Promise<void>;

  /** Somebody got an item. */
  protected taken(process: RecipeProcess, name: string): Item {
    const item = this.items.get(name);
    this.demand(item !== undefined, 'what is taken was put', () => name);
    this.say(`${process.alias} gets ${name}`);
    this.count('taken');
    this.serve(process);
    const known = item as Item;
    known.taken += 1;
    return known;
  }

  async #produce(process: RecipeProcess): Promise<void> {
    const put = this.makePut(process);
    for (let number = 0; !this.isEnding; number++) {
      await process.sleep(50 + process.random.below(400));
      const name = `${process.alias}-${number}`;
      const item: Item = { isAcknowledged: false, taken: 0, isDone: false };
      this.items.set(name, item);
      try {
        await put(name);
        item.isAcknowledged = true;
        this.count('put');
        this.say(`${name} is put`);
      } catch (error) {
        if (!isInterruption(error)) throw error;
      }
    }
    this.idle.add(process.alias);
  }

  checkEnd(): void {
    const left = this.host.truth.children(this.path);
    this.demand(left.length === 0, 'the queue runs empty', () => left.join());
  }
}

/** A queue whose items stay until they are done. */
export class WorkQueueScenario extends QueueScenario {
  readonly #ledgers = new Map<string, HoldLedger>();
  readonly #lockPath = '/queue/locks';

  protected makePut(process: RecipeProcess): (item: string) => Promise<void> {
    const queue = new WorkQueue(process.zk, this.path, this.options);
    return (item) => queue.put(item);
  }

  protected get options(): DelayQueueOptions {
    return { lockPath: this.#lockPath };
  }

  /** What work is taken from. */
  protected makeSource(process: RecipeProcess): WorkSource {
    return new WorkQueue(process.zk, this.path, this.options);
  }

  protected async consume(process: RecipeProcess): Promise<void> {
    const queue = this.makeSource(process);
    for (;;) {
      const work = await takeWork(process, queue);
      if (work !== null) await this.#deal(process, work);
    }
  }

  async #deal(process: RecipeProcess, work: Work): Promise<void> {
    const { random, alias } = process;
    const name = nameOf(work);
    const item = this.taken(process, name);
    // Who stood still may be told of what it took long ago.
    const isOver = this.host.truth.isSessionOver(process.zk.sessionId);
    this.demand(!item.isDone || isOver, 'what is done does not come again', () => {
      return `${alias} gets ${name}`;
    });
    const ledger = this.#ledgers.get(name) ?? new HoldLedger(this, alone, true);
    this.#ledgers.set(name, ledger);
    const held = {
      path: `${this.#lockPath}/${work.path.slice(work.path.lastIndexOf('/') + 1)}`,
      token: work.token as bigint,
      get isHeld(): boolean {
        return !work.lost.aborted && !holding.isReleased;
      },
    };
    const holding = ledger.acquired(process, held, 'mark');
    await process.sleep(random.below(100));
    ledger.use(holding);
    ledger.releasing(holding);
    if (random.percent(20)) {
      this.say(`${alias} gives ${name} back`);
      await work.giveBack();
      return;
    }
    await work.done();
    this.say(`${alias} is done with ${name}`);
    item.isDone = true;
    const there = this.host.truth.get(work.path);
    this.demand(there === null, 'what is done leaves the queue', () => `${name} is still there`);
  }

  override checkEnd(): void {
    super.checkEnd();
    for (const [name, { isAcknowledged, taken }] of this.items) {
      this.demand(!isAcknowledged || taken > 0, 'nothing acknowledged is lost', () => name);
    }
    const marks = this.host.truth.children(this.#lockPath);
    this.demand(marks.length === 0, 'nothing is left behind', () => marks.join());
  }
}

/** A queue whose items are left alone for a while. */
export class DelayQueueScenario extends WorkQueueScenario {
  /** By item: when it is due. */
  readonly #dueMs = new Map<string, number>();

  protected override get options(): DelayQueueOptions {
    return { ...super.options, nowMs: () => this.host.nowMs() };
  }

  protected override makePut(process: RecipeProcess): (item: string) => Promise<void> {
    const queue = new DelayQueue(process.zk, this.path, this.options);
    return (item) => {
      const delayMs = process.random.percent(30) ? 0 : process.random.below(2000);
      this.#dueMs.set(item, this.host.nowMs() + delayMs);
      return queue.put({ delayMs }, item);
    };
  }

  protected override makeSource(process: RecipeProcess): WorkSource {
    return new DelayQueue(process.zk, this.path, this.options);
  }

  protected override taken(process: RecipeProcess, name: string): Item {
    const dueMs = this.#dueMs.get(name) ?? 0;
    this.demand(this.host.nowMs() >= dueMs, 'nothing is taken before its time', () => {
      return `${process.alias} gets ${name}, due at ${dueMs}`;
    });
    return super.taken(process, name);
  }
}

/** Queues whose items leave as they are taken. */
abstract class TakeOnceScenario extends QueueScenario {
  protected override taken(process: RecipeProcess, name: string): Item {
    const item = super.taken(process, name);
    this.demand(item.taken === 1, 'nothing is taken twice', () => `${process.alias} gets ${name}`);
    return item;
  }

  override checkEnd(): void {
    super.checkEnd();
    // Each time that a taker loses its connection or its life it may have taken one that nobody sees.
    const lost = [...this.items].filter(([, item]) => item.isAcknowledged && item.taken === 0);
    const excuses = this.host.clients.reduce((sum, { interruptions }) => sum + interruptions, 0);
    this.demand(lost.length <= excuses, 'nothing is lost without a loss of connection', () => {
      return `${lost.map(([name]) => name).join()}, after ${excuses} interruptions`;
    });
  }
}

/** ZooKeeper's own queue recipe. */
export class SimpleQueueScenario extends TakeOnceScenario {
  protected makePut(process: RecipeProcess): (item: string) => Promise<void> {
    const queue = new SimpleQueue(process.zk, this.path);
    return (item) => queue.put(item);
  }

  protected async consume(process: RecipeProcess): Promise<void> {
    const queue = new SimpleQueue(process.zk, this.path);
    for (;;) {
      const timeoutMs = 100 + process.random.below(2000);
      const isTried = process.random.percent(30);
      const bytes = await (isTried ? queue.tryTake() : unlessLate(queue.take({ timeoutMs })));
      if (bytes !== null) this.taken(process, Buffer.from(bytes).toString());
      await process.sleep(process.random.below(100));
    }
  }
}

/** Items that come in the order of their priorities. */
export class PriorityQueueScenario extends TakeOnceScenario {
  protected makePut(process: RecipeProcess): (item: string) => Promise<void> {
    const queue = new PriorityQueue(process.zk, this.path);
    return (item) => queue.put(process.random.below(7) - 3, item);
  }

  protected async consume(process: RecipeProcess): Promise<void> {
    const queue = new PriorityQueue(process.zk, this.path);
    for (;;) {
      const work = await takeWork(process, queue);
      if (work !== null) this.taken(process, nameOf(work));
      await process.sleep(process.random.below(100));
    }
  }
}

function takeWork(process: RecipeProcess, queue: WorkSource): Promise<Work | null> {
  const timeoutMs = 100 + process.random.below(2000);
  return process.random.percent(30) ? queue.tryTake() : unlessLate(queue.take({ timeoutMs }));
}

async function unlessLate<T>(taking: Promise<T>): Promise<T | null> {
  try {
    return await taking;
  } catch (error) {
    if (error instanceof WaitTimeoutError) return null;
    throw error;
  }
}

function nameOf(work: Work): string {
  return Buffer.from(work.items[0] ?? []).toString();
}
