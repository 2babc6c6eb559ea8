import type { HostPort, Random } from './ports.ts';

/**
 * The servers of an ensemble, shuffled once so that clients spread, then tried in turn for ever
 * (ZooKeeper's `client/StaticHostProvider.java`).
 */
export class HostList {
  readonly #servers: HostPort[];
  #next = 0;
  #failures = 0;

  constructor(servers: readonly HostPort[], random: Random) {
    this.#servers = [...servers];
    for (let i = this.#servers.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      const moved = this.#servers[i] as HostPort;
      this.#servers[i] = this.#servers[j] as HostPort;
      this.#servers[j] = moved;
    }
  }

  /** How many servers there are. */
  get size(): number {
    return this.#servers.length;
  }

  /** The server to try now. */
  next(): HostPort {
    const server = this.#servers[this.#next] as HostPort;
    this.#next = (this.#next + 1) % this.#servers.length;
    return server;
  }

  /** A server did not take us. True when that makes a whole round since the last success. */
  failed(): boolean {
    this.#failures += 1;
    return this.#failures % this.#servers.length === 0;
  }

  /** A server took us: a new round begins with the next failure. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** Makes `server` the one to try next. */
  prefer(server: HostPort): void {
    const index = this.#servers.indexOf(server);
    if (index >= 0) this.#next = index;
  }
}
