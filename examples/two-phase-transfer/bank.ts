import type { Transaction, TransactionHandlers } from '@meerkat/client/recipes';

/** What the two banks agree on. */
export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly cents: number;
}

/** A bank's books. They outlive the process that keeps them, as a database would. */
export class Bank implements TransactionHandlers {
  readonly name: string;
  cents: number;
  /** By transaction: what was promised and neither booked nor freed. */
  readonly #promised = new Map<string, number>();
  readonly #finished = new Set<string>();
  #tell: () => void = () => {};

  constructor(name: string, cents: number) {
    this.name = name;
    this.cents = cents;
  }

  /** Promises its part if there is money enough for all that it has promised. */
  prepare({ id, payload }: Transaction): boolean {
    const { from, cents } = payload as Transfer;
    const change = from === this.name ? -cents : cents;
    const promised = [...this.#promised.values()].filter((one) => one < 0);
    const free = promised.reduce((sum, one) => sum + one, this.cents);
    if (free + change < 0) return false;
    this.#promised.set(id, change);
    return true;
  }

  commit({ id }: Transaction): void {
    this.#finish(id, this.#promised.get(id) ?? 0);
  }

  abort({ id }: Transaction): void {
    this.#finish(id, 0);
  }

  /** Resolves when so many transactions are finished here. */
  async untilFinished(count: number): Promise<void> {
    while (this.#finished.size < count) {
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
    }
  }

  /** The decision may be told twice: the second time nothing happens. */
  #finish(id: string, change: number): void {
    if (this.#finished.has(id)) return;
    this.#finished.add(id);
    this.#promised.delete(id);
    this.cents += change;
    this.#tell();
  }
}
