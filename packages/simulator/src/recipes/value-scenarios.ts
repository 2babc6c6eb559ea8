import { AtomicLong, AtomicValue, SharedValue } from '@meerkat/client/recipes';
import { isEnd, type RecipeProcess } from './recipe-process.ts';
import { type Outcome, outcomeOf, TurnScenario } from './turn-scenario.ts';

const decoder = new TextDecoder();

/** Processes that each add their words to one text, and must not lose those of others. */
abstract class TextScenario extends TurnScenario {
  protected readonly path: string = '/values/text';
  readonly #outcomes = new Map<string, Outcome>();

  protected async begin(process: RecipeProcess): Promise<() => Promise<void>> {
    const append = await this.makeAppend(process);
    let number = 0;
    return async () => {
      const word = `${process.alias}-${number++}`;
      // Should the session end, nobody knows.
      this.#outcomes.set(word, 'unknown');
      const outcome = await outcomeOf(() => append(` ${word}`));
      this.#outcomes.set(word, outcome);
      this.say(`${word} is ${outcome}`);
      this.count(outcome);
      if (outcome === 'done') this.serve(process);
    };
  }

  /** How a process puts a word behind the text; false when somebody else was faster. */
  protected abstract makeAppend(
    process: RecipeProcess,
  ): Promise<(word: string) => Promise<boolean>>;

  protected get text(): string {
    return this.host.truth.get(this.path)?.data ?? '';
  }

  checkEnd(): void {
    const times = new Map<string, number>();
    for (const word of this.text.split(' ').slice(1)) times.set(word, (times.get(word) ?? 0) + 1);
    for (const [word, outcome] of this.#outcomes) {
      const count = times.get(word) ?? 0;
      const isRight = outcome === 'unknown' ? count <= 1 : count === (outcome === 'done' ? 1 : 0);
      this.demand(isRight, 'what is acknowledged is there once', () => {
        return `${word} is ${outcome}, and ${count} times there`;
      });
    }
  }
}

/** By `update` and `compareAndSet`. */
export class AtomicValueScenario extends TextScenario {
  protected makeAppend(process: RecipeProcess): Promise<(word: string) => Promise<boolean>> {
    const value = new AtomicValue(process.zk, this.path);
    const append = async (word: string): Promise<boolean> => {
      if (process.random.percent(40)) {
        const before = await value.get();
        const after = decoder.decode(before ?? undefined) + word;
        return await value.compareAndSet(before, after);
      }
      const next = (bytes: Uint8Array | null): string => decoder.decode(bytes ?? undefined) + word;
      const { before, after } = await value.update(next);
      const isNext = decoder.decode(after ?? undefined) === next(before);
      this.demand(isNext, 'an update tells what it did', () => word);
      return true;
    };
    return Promise.resolve(append);
  }
}

/** By `trySet`, on top of what is followed. */
export class SharedValueScenario extends TextScenario {
  readonly #shared = new Map<string, { value: SharedValue; last: string }>();

  protected async makeAppend(process: RecipeProcess): Promise<(word: string) => Promise<boolean>> {
    const value = await SharedValue.start(process.zk, this.path, '');
    const known = { value, last: '' };
    this.#shared.set(process.alias, known);
    this.#follow(process, value).catch((error: unknown) => {
      if (!isEnd(error)) this.host.fail(error);
    });
    const see = (): SharedValue['current'] => {
      const { current } = value;
      const text = decoder.decode(current.value);
      this.#demandLater(process, known.last, text);
      known.last = text;
      return current;
    };
    return async (word) => {
      const current = see();
      const after = decoder.decode(current.value) + word;
      const isSet = await value.trySet(current, after);
      if (isSet) this.#demandLater(process, after, decoder.decode(see().value));
      return isSet;
    };
  }

  async #follow(process: RecipeProcess, value: SharedValue): Promise<void> {
    let last = '';
    for await (const { value: bytes } of value.changes()) {
      const text = decoder.decode(bytes);
      this.#demandLater(process, last, text);
      last = text;
    }
  }

  #demandLater(process: RecipeProcess, last: string, text: string): void {
    this.demand(text.startsWith(last), 'a value never goes back', () => {
      return `${process.alias} sees ${text.slice(-20)} after ${last.slice(-20)}`;
    });
  }

  override checkEnd(): void {
    super.checkEnd();
    for (const { alias } of this.host.clients) {
      const current = this.#shared.get(alias)?.value.current.value;
      this.demand(decoder.decode(current) === this.text, 'values converge', () => alias);
    }
  }
}

/** Processes that count. */
export class CounterScenario extends TurnScenario {
  readonly #path = '/values/count';
  /** The sum of what was acknowledged. */
  #acknowledged = 0n;
  /** The sum of what nobody knows of. */
  #unknown = 0n;
  /** The greatest result that was told. */
  #greatest = 0n;
  /** Who was told that the count has come to a number. */
  readonly #results = new Map<bigint, string>();

  protected begin(process: RecipeProcess): Promise<() => Promise<void>> {
    const counter = new AtomicLong(process.zk, this.#path);
    return Promise.resolve(async () => {
      const delta = BigInt(1 + process.random.below(5));
      const least = this.#greatest;
      // Should the session end, nobody knows.
      this.#unknown += delta;
      const outcome = await outcomeOf(async () => {
        const { before, after } = await counter.add(delta);
        this.#onResult(process.alias, { least, before, after, delta });
        return true;
      });
      this.count(outcome);
      if (outcome !== 'unknown') this.#unknown -= delta;
      if (outcome !== 'done') return;
      this.#acknowledged += delta;
      this.serve(process);
    });
  }

  #onResult(
    who: string,
    added: { least: bigint; before: bigint; after: bigint; delta: bigint },
  ): void {
    const { least, before, after, delta } = added;
    this.say(`${who} counts ${delta} and comes to ${after}`);
    this.demand(after === before + delta, 'an addition tells what it did', () => {
      return `${who}: ${before} and ${delta} are ${after}`;
    });
    const other = this.#results.get(after);
    this.demand(
      other === undefined,
      'no result comes twice',
      () => `${after}: ${other} and ${who}`,
    );
    this.demand(before >= least, 'what was counted before counts', () => {
      return `${who} began at ${before}, after somebody came to ${least}`;
    });
    this.#results.set(after, who);
    if (after > this.#greatest) this.#greatest = after;
  }

  checkEnd(): void {
    const data = this.host.truth.get(this.#path)?.bytes ?? new Uint8Array(8);
    const count = Buffer.from(data).readBigInt64BE();
    const most = this.#acknowledged + this.#unknown;
    const isRight = count >= this.#acknowledged && count <= most;
    this.demand(isRight, 'what is acknowledged counts once', () => {
      return `${count}, and not ${this.#acknowledged} to ${most}`;
    });
  }
}
