import type { BenchOptions, OperationName } from './bench-options.ts';
import {
  childrenTemplate,
  createTemplate,
  existsTemplate,
  getTemplate,
  multiTemplate,
  type RequestTemplate,
  setTemplate,
} from './request-template.ts';

/** Hands out requests to connections, encoded. */
export interface RequestSource {
  /** The length of the longest request. */
  readonly requestBytesMax: number;
  /** Whether some of the requests are transactions, whose failure only the body of the reply shows. */
  readonly hasTransactions: boolean;
  /** Whether there are no more. */
  readonly isOver: boolean;
  /**
   * Encodes the next request to `target[at…]` and returns where it ends; -1 when there is none left.
   */
  encode(target: Uint8Array, at: number, xid: number): number;
}

/** What the names of the znodes of a run begin with. */
export interface Names {
  /** Znodes that are there from the start. */
  readonly keyPrefix: string;
  /** Znodes that `create` adds. */
  readonly createdPrefix: string;
}

/** Requests drawn from a mix until it is stopped. */
export class MixSource implements RequestSource {
  readonly requestBytesMax: number;
  readonly hasTransactions: boolean;
  isOver = false;
  /** Znodes created so far: the next one gets this number. */
  created = 0;
  readonly #templates: readonly RequestTemplate[];
  readonly #isCreate: readonly boolean[];
  /** The upper end of each template's share of the range of `#random`. */
  readonly #shares: readonly number[];
  readonly #keys: number;
  #state: number;

  constructor(options: BenchOptions, names: Names, seed = 88172645) {
    this.#keys = options.keys;
    this.#state = seed | 0 || 1;
    this.#templates = options.mix.map(({ operation }) => templateOf(operation, options, names));
    this.#isCreate = options.mix.map(({ operation }) => operation === 'create');
    this.hasTransactions = options.mix.some(({ operation }) => operation === 'multi');
    const total = options.mix.reduce((sum, { weight }) => sum + weight, 0);
    let share = 0;
    this.#shares = options.mix.map(({ weight }) => {
      share += weight / total;
      return share;
    });
    this.requestBytesMax = Math.max(...this.#templates.map(({ bytes }) => bytes.length));
  }

  /** Ends the load: no more requests are handed out. */
  stop(): void {
    this.isOver = true;
  }

  encode(target: Uint8Array, at: number, xid: number): number {
    if (this.isOver) return -1;
    let choice = 0;
    if (this.#templates.length > 1) {
      const drawn = this.#random();
      while (choice < this.#shares.length - 1 && drawn >= (this.#shares[choice] as number))
        choice++;
    }
    const template = this.#templates[choice] as RequestTemplate;
    const end = template.copyTo(target, at, xid);
    if (this.#isCreate[choice] === true) {
      template.setName(target, at, 0, this.created++);
      return end;
    }
    for (let name = 0; name < template.names; name++) {
      template.setName(target, at, name, Math.floor(this.#random() * this.#keys));
    }
    return end;
  }

  /** Xorshift: 0 to 1, excluding 1. The quality needed is only that no key is favoured. */
  #random(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) / 4294967296;
  }
}

/** One request for each number from 0 to `count`, then no more. */
export class SequenceSource implements RequestSource {
  readonly requestBytesMax: number;
  readonly hasTransactions = false;
  readonly #template: RequestTemplate;
  readonly #count: number;
  #next = 0;

  constructor(template: RequestTemplate, count: number) {
    this.#template = template;
    this.#count = count;
    this.requestBytesMax = template.bytes.length;
  }

  get isOver(): boolean {
    return this.#next >= this.#count;
  }

  encode(target: Uint8Array, at: number, xid: number): number {
    if (this.isOver) return -1;
    const end = this.#template.copyTo(target, at, xid);
    if (this.#template.names > 0) this.#template.setName(target, at, 0, this.#next);
    this.#next++;
    return end;
  }
}

function templateOf(
  operation: OperationName,
  options: BenchOptions,
  names: Names,
): RequestTemplate {
  const payload = new Uint8Array(options.payloadBytes).fill(0x78);
  switch (operation) {
    case 'get':
      return getTemplate(names.keyPrefix);
    case 'exists':
      return existsTemplate(names.keyPrefix);
    case 'set':
      return setTemplate(names.keyPrefix, payload);
    case 'create':
      return createTemplate(names.createdPrefix, payload);
    case 'children':
      return childrenTemplate(options.root);
    case 'multi':
      return multiTemplate(names.keyPrefix, payload, options.multiOperations);
  }
}
