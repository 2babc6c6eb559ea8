import type { Held } from '@meerkat/client/recipes';
import type { RecipeProcess } from './recipe-process.ts';
import type { RecipeScenario } from './recipe-scenario.ts';
import type { WatchedZnode } from './server-truth.ts';

/** What the ledger asks of a hold. */
export type HeldThing = Pick<Held, 'path' | 'token' | 'isHeld'>;

/** What a recipe has told somebody that it holds. */
export interface Holding extends WatchedZnode {
  readonly who: string;
  readonly kind: string;
  /** Whether the holder believes that it holds: it was not told otherwise and has not given it back. */
  readonly believes: () => boolean;
  /** The holder began to give it back. */
  isReleased: boolean;
  isGone: boolean;
}

/** Which holdings may exist at a time. */
export type Compatible = (holdings: readonly Holding[]) => boolean;

/**
 * Everything that was ever held at one path, and whether that was right. Knows what holders were told, and from the
 * members' trees whose znode is there:
 *
 * - whoever is told that it holds meets, on the server, nobody that it must not meet;
 * - a znode that is gone was given back by its holder, or the holder's session has ended: nobody else takes it;
 * - tokens are never used twice, and the shared resource that refuses the smaller ones never refuses somebody whose
 *   znode is there. So what a holder does too late may overlap, and comes to nothing.
 */
export class HoldLedger {
  readonly #scenario: RecipeScenario;
  readonly #compatible: Compatible;
  readonly #isFenced: boolean;
  #holdings: Holding[] = [];
  readonly #tokens = new Map<string, string>();
  /** The greatest token that the resource has seen. */
  #fence = 0;

  /** @param isFenced whether one at a time holds, so that the resource refuses smaller tokens */
  constructor(scenario: RecipeScenario, compatible: Compatible, isFenced: boolean) {
    this.#scenario = scenario;
    this.#compatible = compatible;
    this.#isFenced = isFenced;
  }

  /** The recipe says that a process holds something. */
  acquired(process: RecipeProcess, held: HeldThing, kind = 'lock'): Holding {
    const scenario = this.#scenario;
    const { path } = held;
    const czxid = Number(held.token);
    const { alias } = process;
    const holding: Holding = {
      path,
      czxid,
      kind,
      who: alias,
      sessionId: process.zk.sessionId,
      believes: () => held.isHeld && process.isUp && process.alias === alias,
      isReleased: false,
      isGone: false,
      onGone: (isSessionOver) => {
        holding.isGone = true;
        scenario.demand(holding.isReleased || isSessionOver, 'nobody else ends a hold', () => {
          return `${path} of ${alias} is gone, though its session lives`;
        });
      },
    };
    scenario.say(`${alias} holds ${kind} ${path} by token ${czxid}`);
    scenario.count('holds');
    const user = `${path} of ${alias}`;
    const known = this.#tokens.get(`${czxid} ${path}`);
    scenario.demand(known === undefined || known === user, 'one token, one holder', () => {
      return `${czxid} is ${known}, and ${user}`;
    });
    this.#tokens.set(`${czxid} ${path}`, user);
    scenario.host.truth.watch(holding);
    const others = this.#holdings.filter((one) => one.path !== path || one.czxid !== czxid);
    const present = others.filter((other) => !scenario.host.truth.isGone(other));
    if (others.some((other) => other.believes())) scenario.count('late to notice');
    this.#holdings = [...present, holding];
    const together = scenario.host.truth.isGone(holding) ? present : this.#holdings;
    scenario.demand(this.#compatible(together), 'mutual exclusion', () => {
      const who = together.map((one) => `${one.who} (${one.kind} ${one.path}, ${one.czxid})`);
      return `${alias} is told that it holds, and so do ${who.join(' and ')}`;
    });
    return holding;
  }

  /** The holder begins to give it back. */
  releasing(holding: Holding): void {
    holding.isReleased = true;
    this.#scenario.say(`${holding.who} releases ${holding.path}`);
  }

  /** A process begins to give back whatever it holds. */
  releasingAll(process: RecipeProcess): void {
    for (const one of this.#holdings) if (one.who === process.alias) one.isReleased = true;
  }

  /** A request of a holder reaches the shared resource, some time after it was sent. Returns whether it is accepted. */
  use(holding: Holding): boolean {
    if (!this.#isFenced) return true;
    const scenario = this.#scenario;
    if (holding.czxid >= this.#fence) {
      this.#fence = holding.czxid;
      scenario.count('accepted');
      return true;
    }
    scenario.count('refused');
    scenario.demand(scenario.host.truth.isGone(holding), 'who holds is not refused', () => {
      return `${holding.who} has ${holding.czxid}, the resource has seen ${this.#fence}`;
    });
    return false;
  }
}

/** One at a time. */
export const alone: Compatible = (holdings) => holdings.length <= 1;

/** Writers alone, readers together. */
export const readersTogether: Compatible = (holdings) =>
  holdings.length <= 1 || holdings.every(({ kind }) => kind === 'read');
