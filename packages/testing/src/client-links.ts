import type { ClientPorts, HostPort, Stream, StreamHandler } from '@meerkat/client';
import { formatServer } from '@meerkat/client';
import type { Random } from '@meerkat/engine';
import { ClientLink } from './client-link.ts';
import type { EnsembleTime } from './ensemble-time.ts';
import type { Member } from './member.ts';
import { type LinkOwner, Partition } from './partition.ts';

// Real ones, whatever a test runner fakes.
const { process, queueMicrotask } = globalThis;
const nextTick = process.nextTick.bind(process);

/** All streams between clients and members. Owns who reaches whom. */
export class ClientLinks {
  readonly #time: EnsembleTime;
  readonly #random: Random;
  readonly #members: readonly Member[];
  readonly #links = new Set<ClientLink>();
  /** Links whose clients keep no time of ours. */
  readonly #foreign = new Set<ClientLink>();
  #partition: Partition = new Partition([], () => true);

  constructor(time: EnsembleTime, random: Random, members: readonly Member[]) {
    this.#time = time;
    this.#random = random;
    this.#members = members;
  }

  /** A client opens a stream to a member. */
  open(member: Member, owner: LinkOwner, address: string, handler: StreamHandler): ClientLink {
    const link = new ClientLink(
      {
        time: this.#time,
        member,
        owner,
        address,
        isBlocked: !this.#partition.clientReaches(owner, member.index),
        onGone: () => {
          this.#links.delete(link);
          this.#foreign.delete(link);
        },
      },
      handler,
    );
    this.#links.add(link);
    return link;
  }

  /** As `open`, for a client that does not live in our time. */
  openForeign(member: Member, address: string, handler: StreamHandler): ClientLink {
    const link = this.open(member, null, address, handler);
    this.#foreign.add(link);
    return link;
  }

  /** What a client asks of the world: streams in memory, and the ensemble's time. */
  portsFor(ownerOf: () => LinkOwner): ClientPorts {
    const time = this.#time;
    return {
      transport: { dial: (server, handler) => this.#dial(server, ownerOf(), handler) },
      clock: {
        nowMs: () => time.nowMs(),
        startTimer: (delayMs, callback) => time.after(delayMs, callback),
        cancelTimer: (handle) => time.cancel(handle as number),
        // Behind the promises of this turn, as the client's own ports on Node have it.
        endOfTurn: (callback) => queueMicrotask(() => nextTick(callback)),
      },
      random: this.#random,
    };
  }

  /** Who reaches whom from now on. */
  setPartition(partition: Partition): void {
    this.#partition = partition;
    for (const link of this.#links) {
      link.setBlocked(!partition.clientReaches(link.owner, link.member.index));
    }
  }

  /** Whether a client reaches a member. */
  reaches(owner: LinkOwner, member: Member): boolean {
    return this.#partition.clientReaches(owner, member.index);
  }

  /** Breaks every connection to a member. */
  cut(member: Member): void {
    for (const link of this.#links) {
      if (link.member === member) link.cut();
    }
    this.#time.poke();
  }

  /**
   * Keeps the sessions alive of those clients that would have pinged, were the time real that is about to be
   * skipped: they live in real time, and are connected.
   */
  pingForForeign(): void {
    const nowMs = this.#time.clock.monotonicMs();
    const sessions = this.#members.find(({ isDeciding }) => isDeciding)?.replica?.state.sessions;
    for (const link of this.#foreign) {
      const { replica } = link.member;
      if (link.isBlocked || link.connectionId === null || replica === null) continue;
      const own = replica.intake.connections.get(link.connectionId)?.session ?? null;
      const session = own === null ? undefined : sessions?.get(own.idHi, own.idLo);
      if (session === undefined || session.closing) continue;
      sessions?.expiry.touch(session, nowMs, session.timeoutMs);
    }
  }

  #dial(server: HostPort, owner: LinkOwner, handler: StreamHandler): Stream {
    const address = formatServer(server);
    const member = this.#members.find((each) => each.address === address);
    if (member !== undefined) return this.open(member, owner, '127.0.0.1', handler);
    const error = new Error(unknownServer(address, this.#members));
    const failure = this.#time.after(0, () => handler.onClosed(error));
    return { unsentBytes: 0, write: () => true, close: () => this.#time.cancel(failure) };
  }
}

function unknownServer(address: string, members: readonly Member[]): string {
  const known = members.map((member) => member.address).join(', ');
  return `Cannot dial ${address} by the ports of this ensemble: its members are ${known}`;
}
