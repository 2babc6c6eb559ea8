import type { ClientPorts, HostPort, Resolver, SrvRecord, TimerHandle } from './ports.ts';

/** What `SrvServers` takes. */
export interface SrvServersOptions {
  /** The name whose SRV records are the servers. */
  readonly name: string;
  readonly resolver: Resolver;
  readonly clock: ClientPorts['clock'];
  /** How long after an answer the next question follows, ms. */
  readonly refreshMs: number;
  /** The same while no answer was of use yet, ms. */
  readonly retryMs: number;
  /** The servers are known, or have changed. */
  readonly onServers: (servers: readonly HostPort[]) => void;
  /** There are no servers yet, and why. */
  readonly onFailure: (cause: Error) => void;
}

/**
 * The servers of a name, from DNS, asked for again and again (ZooKeeper's `client/DnsSrvHostProvider.java`, which looks at
 * neither priority nor weight either). An answer that is of no use changes nothing once there are servers.
 */
export class SrvServers {
  readonly #options: SrvServersOptions;
  #known: readonly HostPort[] = [];
  #timer: TimerHandle | null = null;
  #isAsking = false;
  #isStopped = false;

  constructor(options: SrvServersOptions) {
    this.#options = options;
  }

  /** Asks now, unless a question is under way. */
  refresh(): void {
    if (this.#isAsking || this.#isStopped) return;
    this.#cancelTimer();
    this.#isAsking = true;
    const { name, resolver } = this.#options;
    resolver.resolveSrv(name, (error, records) => {
      this.#isAsking = false;
      if (!this.#isStopped) this.#onAnswer(error, records);
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
  }

  #onAnswer(error: Error | null, records: readonly SrvRecord[]): void {
    const { name, clock, refreshMs, retryMs, onServers, onFailure } = this.#options;
    const servers = records.slice(0, recordsMax).flatMap(serverOf);
    const isOfUse = error === null && servers.length > 0;
    const delayMs = isOfUse || this.#known.length > 0 ? refreshMs : retryMs;
    this.#timer = clock.startTimer(delayMs, () => this.refresh());
    if (!isOfUse) {
      if (this.#known.length === 0)
        onFailure(error ?? new Error(`${name} has no SRV record that names a server`));
      return;
    }
    if (isSameList(servers, this.#known)) return;
    this.#known = servers;
    onServers(servers);
  }

  #cancelTimer(): void {
    if (this.#timer !== null) this.#options.clock.cancelTimer(this.#timer);
    this.#timer = null;
  }
}

/** More records than an ensemble has members are no answer to heed. */
const recordsMax = 1000;

function serverOf(record: SrvRecord): HostPort[] {
  const host = record.name.replace(/\.$/u, '');
  const isServer = host !== '' && Number.isInteger(record.port) && record.port >= 1;
  return isServer && record.port <= 65535 ? [{ host, port: record.port }] : [];
}

/** True when both have the same servers, in whatever order. */
function isSameList(a: readonly HostPort[], b: readonly HostPort[]): boolean {
  const texts = (servers: readonly HostPort[]): string =>
    [...new Set(servers.map(({ host, port }) => `${host}:${port}`))].sort().join();
  return texts(a) === texts(b);
}
