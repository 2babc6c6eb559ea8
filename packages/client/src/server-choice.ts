import { BadArgumentsError } from './errors.ts';
import { HostList } from './host-list.ts';
import type { ClientPorts, HostPort } from './ports.ts';
import { SrvServers } from './srv-servers.ts';

/** What `ServerChoice` takes. */
export interface ServerChoiceOptions {
  /** Empty when `srvName` stands for them. */
  readonly servers: readonly HostPort[];
  readonly srvName: string | null;
  readonly srvRefreshMs: number;
  readonly retryDelayMs: number;
  /** There were no servers to dial; now there are. */
  readonly onKnown: () => void;
  /** There are still no servers to dial. */
  readonly onUnknown: (cause: Error) => void;
}

/** Which server to dial next: those of the connect string, or those that DNS has named last. */
export class ServerChoice {
  readonly #options: ServerChoiceOptions;
  readonly #ports: ClientPorts;
  readonly #hosts: HostList;
  #srv: SrvServers | null;
  /** What DNS has named since the last dial. */
  #named: readonly HostPort[] | null = null;

  /** @throws BadArgumentsError when a name is to be looked up, and the ports cannot */
  constructor(options: ServerChoiceOptions, ports: ClientPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#hosts = new HostList(options.servers, ports.random);
    this.#srv = options.srvName === null ? null : this.#follow(options.srvName);
  }

  /** Asks DNS, where there is a name to ask for. */
  start(): void {
    this.#srv?.refresh();
  }

  /** How many servers there are to dial; 0 until DNS has named one. */
  get size(): number {
    return this.#hosts.size;
  }

  /** The server to dial now. There must be one. */
  next(): HostPort {
    // A change of names alone disturbs nobody: it counts when there is something to dial.
    if (this.#named !== null) this.#hosts.update(this.#named, null);
    this.#named = null;
    return this.#hosts.next();
  }

  /** A server did not take us. True when that makes a whole round since the last success. */
  failed(): boolean {
    const isRound = this.#hosts.failed();
    if (isRound) this.#srv?.refresh();
    return isRound;
  }

  /** The server dialed last took us. */
  succeeded(): void {
    this.#hosts.succeeded();
  }

  /** Makes `server` the one to dial next. */
  prefer(server: HostPort): void {
    this.#hosts.prefer(server);
  }

  /**
   * Takes a new list, or a name that stands for it.
   *
   * @param current the server that serves us; null when none does
   * @returns true when the client is to leave that server
   * @throws BadArgumentsError when a name is to be looked up, and the ports cannot
   */
  update(servers: readonly HostPort[], srvName: string | null, current: HostPort | null): boolean {
    const srv = srvName === null ? null : this.#follow(srvName);
    this.stop();
    this.#srv = srv;
    this.start();
    return srvName === null && this.#hosts.update(servers, current);
  }

  /** Asks DNS no more. */
  stop(): void {
    this.#srv?.stop();
    this.#named = null;
  }

  #follow(name: string): SrvServers {
    const { resolver, clock } = this.#ports;
    if (resolver === undefined) {
      const message = `Cannot use a connect string: current value is dns-srv://${name}, and the client's ports look up no names`;
      throw new BadArgumentsError({ message });
    }
    const { srvRefreshMs: refreshMs, retryDelayMs: retryMs, onKnown, onUnknown } = this.#options;
    return new SrvServers({
      name,
      resolver,
      clock,
      refreshMs,
      retryMs,
      onServers: (servers) => {
        const areFirst = this.#hosts.size === 0;
        if (areFirst) this.#hosts.update(servers, null);
        else this.#named = servers;
        if (areFirst) onKnown();
      },
      onFailure: (cause) => {
        if (this.#hosts.size === 0) onUnknown(cause);
      },
    });
  }
}
