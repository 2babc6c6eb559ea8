import type { HostPort, Random } from './ports.ts';

/**
 * The servers of an ensemble, shuffled so that clients spread, then tried in turn for ever. A new list moves a client with such
 * a probability that all servers end up with the same load (ZooKeeper's `client/HostConnectionManager.java`, ZOOKEEPER-1355).
 */
export class HostList {
  readonly #random: Random;
  #servers: HostPort[];
  #next = 0;
  /** The server tried last, and the last one that took us. */
  #tried: HostPort | null = null;
  #served: HostPort | null = null;
  #failures = 0;
  #move: Move | null = null;

  /** @param servers may be empty until `update` knows better */
  constructor(servers: readonly HostPort[], random: Random) {
    this.#random = random;
    this.#servers = this.#shuffled(servers);
  }

  /** How many servers there are. */
  get size(): number {
    return this.#servers.length;
  }

  /** The server to try now. There must be one. */
  next(): HostPort {
    const moved = this.#nextOfMove();
    if (moved === null) this.#move = null;
    const server = moved ?? (this.#servers[this.#next] as HostPort);
    this.#tried = server;
    this.#next = this.#indexAfter(server);
    return server;
  }

  /** A server did not take us. True when that makes a whole round since the last success. */
  failed(): boolean {
    this.#failures += 1;
    return this.#failures % this.#servers.length === 0;
  }

  /** A server took us: a new round begins with the next failure. */
  succeeded(): void {
    this.#served = this.#tried;
    this.#failures = 0;
    this.#move = null;
  }

  /** Makes `server` the one to try next. */
  prefer(server: HostPort): void {
    const index = this.#servers.findIndex((other) => isSame(other, server));
    if (index < 0) return;
    this.#next = index;
    this.#move = null;
  }

  /**
   * Takes a new list.
   *
   * @param current the server that serves us; null when none does
   * @returns true when the client is to leave that server, for one that `next` names
   */
  update(servers: readonly HostPort[], current: HostPort | null): boolean {
    const before = this.#servers;
    const shuffled = this.#shuffled(servers);
    const mine = current ?? (this.#move === null ? (this.#served ?? before[0]) : this.next());
    const isMineKept = shuffled.some((server) => mine !== undefined && isSame(server, mine));
    const kept = shuffled.filter((server) => before.some((other) => isSame(other, server)));
    const added = shuffled.filter((server) => !kept.includes(server));
    const newProbability =
      before.length === 0 ? null : this.#moves(before.length, kept, added, isMineKept);
    this.#servers = shuffled;
    this.#failures = 0;
    this.#move = newProbability === null ? null : { newProbability, kept, added };
    this.#next = this.#tried === null ? 0 : this.#indexAfter(this.#tried);
    return this.#move !== null;
  }

  /** The probability of going to a new server, null when the client stays where it is. */
  #moves(
    before: number,
    kept: readonly HostPort[],
    added: readonly HostPort[],
    isMineKept: boolean,
  ): number | null {
    const now = kept.length + added.length;
    if (isMineKept) {
      // More servers than before: each client of an old one leaves it with the share that the new ones are due.
      return now > before && this.#chance() < 1 - before / now ? 1 : null;
    }
    if (now > before) return 1;
    const left = Math.max(1, before - kept.length);
    return 1 - (kept.length * (before - now)) / (now * left);
  }

  #nextOfMove(): HostPort | null {
    if (this.#move === null) return null;
    const { newProbability, kept, added } = this.#move;
    const takesNew = this.#chance() < newProbability;
    const first = takesNew ? added : kept;
    return first.shift() ?? (takesNew ? kept : added).shift() ?? null;
  }

  /** That of the first server when this one is not on the list. */
  #indexAfter(server: HostPort): number {
    const index = this.#servers.findIndex((other) => isSame(other, server));
    return (index + 1) % this.#servers.length;
  }

  #chance(): number {
    return this.#random.below(chances) / chances;
  }

  #shuffled(servers: readonly HostPort[]): HostPort[] {
    const shuffled = [...servers];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.#random.below(i + 1);
      const moved = shuffled[i] as HostPort;
      shuffled[i] = shuffled[j] as HostPort;
      shuffled[j] = moved;
    }
    return shuffled;
  }
}

/** True when both name the same server. */
export function isSame(a: HostPort, b: HostPort): boolean {
  return a.host === b.host && a.port === b.port;
}

/** A move under way: to the new servers with this probability, else to those that were there before, each tried once. */
interface Move {
  readonly newProbability: number;
  readonly kept: HostPort[];
  readonly added: HostPort[];
}

const chances = 2 ** 24;
