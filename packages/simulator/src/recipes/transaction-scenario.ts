import {
  type Transaction,
  TransactionCoordinator,
  type TransactionOutcome,
  TransactionParticipant,
  WaitTimeoutError,
} from '@meerkat/client/recipes';
import { isInterruption, type RecipeProcess } from './recipe-process.ts';
import { TurnScenario } from './turn-scenario.ts';

const path = '/transactions';

/** What one participant did about a transaction: it outlives its process, as a disk does. */
interface Page {
  isPrepared: boolean;
  outcome: TransactionOutcome | null;
}

/**
 * Processes that each take part in transactions under a name of their own, and begin some. All of them carry out the same
 * decision, which is to commit only when all had agreed, whoever dies when; and nothing is left behind.
 */
export class TransactionScenario extends TurnScenario {
  /** By transaction, then by participant. */
  readonly #books = new Map<string, Map<string, Page>>();

  protected async begin(process: RecipeProcess): Promise<() => Promise<void>> {
    const { random, name, zk } = process;
    await process.ensure(path);
    const handlers = {
      prepare: (transaction: Transaction) => this.#prepare(process, transaction),
      commit: (transaction: Transaction) => this.#carryOut(process, transaction, 'committed'),
      abort: (transaction: Transaction) => this.#carryOut(process, transaction, 'aborted'),
    };
    const participant = await TransactionParticipant.start(zk, path, name, handlers, {
      retryAfterMs: 50,
    });
    const coordinator = new TransactionCoordinator(zk, path);
    return async () => {
      participant.failed.throwIfAborted();
      const names = this.host.clients.map((client) => client.name);
      const participants = names.filter(() => random.percent(60));
      if (participants.length === 0) return;
      const limits =
        random.percent(20) && !this.host.isCalm ? { timeoutMs: 1 + random.below(500) } : {};
      const voteWithinMs = 100 + random.below(1500);
      try {
        const outcome = await coordinator.run({ participants, voteWithinMs }, limits);
        this.count(`told ${outcome}`);
        if (outcome === 'committed') this.serve(process);
      } catch (error) {
        if (!(error instanceof WaitTimeoutError) && !isInterruption(error)) throw error;
        this.count('given up');
      }
    };
  }

  /** Nobody has anything under way, and no dead one's name stands anywhere. */
  override get isFinished(): boolean {
    return super.isFinished && this.host.truth.children(path).length === 0;
  }

  override get waiting(): string {
    return `${super.waiting}; left: ${[...this.host.truth.below(path).keys()].join()}`;
  }

  async #prepare(process: RecipeProcess, { id }: Transaction): Promise<boolean> {
    const page = this.#pageOf(id, process.name);
    const { alias, random } = process;
    if (random.percent(70)) await process.sleep(random.below(100));
    this.demand(
      page.outcome === null,
      'nobody votes on what is decided',
      () => `${alias} on ${id}`,
    );
    const agrees = page.isPrepared || random.percent(85);
    this.say(`${alias} ${agrees ? 'agrees to' : 'refuses'} ${id}`);
    page.isPrepared = agrees;
    return agrees;
  }

  async #carryOut(
    process: RecipeProcess,
    { id, participants }: Transaction,
    outcome: TransactionOutcome,
  ): Promise<void> {
    const { alias, random } = process;
    if (random.percent(50)) await process.sleep(random.below(50));
    if (random.percent(5)) throw new RangeError('busy');
    this.say(`${alias} hears that ${id} is ${outcome}`);
    this.count(outcome);
    const page = this.#pageOf(id, process.name);
    page.outcome ??= outcome;
    const pages = participants.map((name) => this.#pageOf(id, name));
    const others = pages.map((one) => one.outcome ?? outcome);
    this.demand(
      others.every((one) => one === outcome),
      'all or none',
      () => {
        return `${id}: ${participants.join()} are ${others.join()}`;
      },
    );
    const areAllPrepared = pages.every(({ isPrepared }) => isPrepared);
    this.demand(
      outcome === 'aborted' || areAllPrepared,
      'all have agreed to what is done',
      () => id,
    );
  }

  #pageOf(id: string, name: string): Page {
    const book = this.#books.get(id) ?? new Map<string, Page>();
    this.#books.set(id, book);
    const page = book.get(name) ?? { isPrepared: false, outcome: null };
    book.set(name, page);
    return page;
  }

  checkEnd(): void {
    const left = [...this.host.truth.below(path).keys()].filter((one) => one !== path);
    this.demand(left.length === 0, 'nothing is left behind', () => left.join());
    for (const [id, book] of this.#books) {
      const pages = [...book];
      const isCommitted = pages.some(([, { outcome }]) => outcome === 'committed');
      const missing = pages.filter(([, { isPrepared, outcome }]) => {
        return outcome === null && (isPrepared || isCommitted);
      });
      this.demand(missing.length === 0, 'who has agreed hears the decision', () => {
        return `${missing.map(([name]) => name).join()} of ${id}`;
      });
    }
  }
}
