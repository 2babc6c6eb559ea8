import { randomInt } from 'node:crypto';
import { type ClientPorts, formatLong, isFinal, ZooKeeper } from '@meerkat/client';
import { PeerFabric, SeededRandom } from '@meerkat/simulator';
import { ClientLinks } from './client-links.ts';
import { ClientPort } from './client-port.ts';
import { EnsembleTime, turn } from './ensemble-time.ts';
import { testLimits } from './limits.ts';
import { Member, peerHostOf } from './member.ts';
import {
  configOf,
  type TestClientOptions,
  type TestEnsembleOptions,
  validateOptions,
} from './options.ts';
import { Partition, type PartitionGroup } from './partition.ts';
import { MemoryStorage, TemporaryDirectory } from './storage.ts';
import type { TestMember } from './test-member.ts';

/** A session that the ensemble knows. */
export interface TestSession {
  /** As `ZooKeeper.sessionId`. */
  readonly id: bigint;
  readonly timeoutMs: number;
  /** The member that its client is connected to; null when it is not connected. */
  readonly member: TestMember | null;
}

/**
 * ZooKeeper for tests: real members, the code of the production server, inside the test process.
 *
 * ```ts
 * await using ensemble = await TestEnsemble.start();
 * await using zk = await ensemble.client();
 * await zk.create('/lock', '', { mode: 'ephemeral' });
 * await ensemble.expireSession(zk);
 * ```
 *
 * Any ZooKeeper client can use `connectString`. Clients of `client()` live in the ensemble's time: their timeouts pass with
 * `advanceTime`, too.
 */
export class TestEnsemble implements AsyncDisposable {
  /** In a fixed order; a member keeps its place over restarts. */
  readonly members: readonly TestMember[];
  /** All members, `127.0.0.1:port,…`, for any client. */
  readonly connectString: string;
  /** For `connect` and `open` of the client library: streams in memory, and the ensemble's time. */
  readonly ports: ClientPorts;
  readonly #members: readonly Member[];
  readonly #time: EnsembleTime;
  readonly #links: ClientLinks;
  readonly #fabric: PeerFabric;
  readonly #flows: boolean;
  readonly #tcpPorts: readonly ClientPort[];
  readonly #directory: TemporaryDirectory | null;
  readonly #clients = new Set<ZooKeeper>();
  #closing: Promise<void> | null = null;

  private constructor(parts: EnsembleParts) {
    this.members = parts.members;
    this.#members = parts.members;
    this.#time = parts.time;
    this.#links = parts.links;
    this.#fabric = parts.fabric;
    this.#flows = parts.flows;
    this.#tcpPorts = parts.tcpPorts;
    this.#directory = parts.directory;
    this.connectString = parts.members.map(({ address }) => address).join(',');
    this.ports = parts.links.portsFor(() => null);
  }

  /**
   * Starts an ensemble and waits until it serves.
   *
   * @throws Error when an option is not valid; StorageError | DiskError when a member cannot start
   */
  static async start(options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
    validateOptions(options);
    const ensemble = new TestEnsemble(await makeParts(options));
    try {
      await Promise.all(ensemble.#members.map((member) => member.start()));
      // The members agree in no time.
      await ensemble.#skipTimeUntil(() => ensemble.#members.every(({ role }) => role !== null));
      await ensemble.ready();
      return ensemble;
    } catch (error) {
      await ensemble.close();
      throw error;
    }
  }

  /** Milliseconds on the ensemble's clock. Only goes forward; its origin means nothing. */
  get nowMs(): number {
    return this.#time.nowMs();
  }

  /**
   * Who decides: the leader, or the only member. Waits until there is one that a majority follows; with the manual clock time goes
   * by meanwhile.
   *
   * @throws Error when there is none in 20 s: too few members run, or reach each other
   */
  async leader(): Promise<TestMember> {
    this.#requireOpen('find the leader');
    const find = (): Member | undefined => this.#members.find(({ isDeciding }) => isDeciding);
    await this.#wait(() => find() !== undefined, 'find the leader: there is none');
    return find() as Member;
  }

  /**
   * Waits until every running member serves: after `restart`, after a failover. With the manual clock time goes by meanwhile.
   *
   * @throws Error when that is not so in 20 s: too few members run, or reach each other
   */
  async ready(): Promise<void> {
    this.#requireOpen('wait for the members');
    const looking = (): Member[] => {
      return this.#members.filter(({ state, role }) => state === 'running' && role === null);
    };
    await this.#wait(() => looking().length === 0, 'wait for the members: some find no leader');
  }

  /** Every session that the ensemble knows, oldest first. Empty while no member runs. */
  sessions(): TestSession[] {
    const running = this.#members.filter(({ role }) => role !== null);
    const replica = (running.find(({ isDeciding }) => isDeciding) ?? running[0])?.replica ?? null;
    if (replica === null) return [];
    const sessions = [...replica.state.sessions.all()].map((session) => {
      const isHere = (member: Member): boolean => {
        const own = member.replica?.state.sessions.get(session.idHi, session.idLo);
        return own !== undefined && member.replica?.intake.connections.bySession(own) !== undefined;
      };
      const member = this.#members.find(isHere) ?? null;
      return { id: idOf(session.idHi, session.idLo), timeoutMs: session.timeoutMs, member };
    });
    return sessions.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * A client of its own, connected. Its streams are in memory, its time is the ensemble's. It tries again without a pause, unless
   * `retryDelayMs` or `reconnectJitterMs` say otherwise. It is closed with the ensemble at the latest.
   *
   * @throws what `connect` throws
   */
  async client(options: TestClientOptions = {}): Promise<ZooKeeper> {
    const { chroot = '', connectTimeoutMs, signal, ...clientOptions } = options;
    this.#requireOpen('make a client');
    signal?.throwIfAborted();
    const settings = { retryDelayMs: 10, reconnectJitterMs: 0, ...clientOptions };
    let owner: ZooKeeper | null = null;
    const ports = this.#links.portsFor(() => owner);
    const zk = new ZooKeeper(this.connectString + chroot, settings, ports);
    owner = zk;
    this.#clients.add(zk);
    zk.onState((state) => {
      if (isFinal(state)) this.#clients.delete(zk);
    });
    try {
      const timeoutMs = connectTimeoutMs ?? zk.sessionTimeoutMs;
      await zk.connected(signal === undefined ? { timeoutMs } : { timeoutMs, signal });
      return zk;
    } catch (error) {
      await zk.close({ keepSession: true });
      throw error;
    }
  }

  /**
   * Ends a session as if its time were over: its ephemeral znodes go, and its client learns of it. Resolves when that is so; a
   * client of `client()` that reaches a member has learned it too.
   *
   * @param session a client, or a session's id
   * @throws Error when the ensemble does not know the session, or nobody can decide
   */
  async expireSession(session: ZooKeeper | bigint): Promise<void> {
    this.#requireOpen('expire a session');
    const id = typeof session === 'bigint' ? session : session.sessionId;
    const { hi, lo } = halvesOf(id);
    const member = this.#members.find(({ isDeciding }) => isDeciding);
    const name = `session ${formatLong(hi, lo)}`;
    if (member === undefined) {
      throw new Error(`Cannot expire ${name}: no running member decides; resume or restart one`);
    }
    await this.#time.run(() => {
      const { replica } = member;
      const found = replica?.state.sessions.get(hi, lo);
      if (replica === null || found === undefined) {
        throw new Error(`Cannot expire ${name}: the ensemble does not know it`);
      }
      replica.intake.closeSession(found);
      replica.onTurnEnd();
    });
    const isKnown = (): boolean => member.replica?.state.sessions.get(hi, lo) !== undefined;
    await until(() => !isKnown(), `expire ${name}: the member does not come to it`);
    if (typeof session === 'bigint' || !this.#clients.has(session)) return;
    const reaches = this.#members.some(
      (each) => each.replica !== null && this.#links.reaches(session, each),
    );
    if (reaches)
      await until(() => isFinal(session.state), `expire ${name}: its client does not hear`);
  }

  /**
   * Cuts the network between groups: of members, of clients, or both. Connections across stay open and silent: what is sent waits,
   * as TCP sends it again, and new ones are not answered. Whoever is in no group reaches everybody. A new partition takes
   * the place of the last.
   *
   * `partition([[0], [1, 2]])` cuts member 0 off from the others, `partition([[0, 1, 2], [zk]])` one client of `client()` from all,
   * `partition([[0, 1, 2], ['clients']])` all clients.
   *
   * @throws Error when a group names something that is none of these
   */
  partition(groups: readonly PartitionGroup[]): void {
    this.#cutOff(new Partition(groups, (index) => index in this.#members));
  }

  /** Ends the partition: what waited goes on. */
  heal(): void {
    this.partition([]);
  }

  /** A member stands still, as under SIGSTOP: it takes connections and does nothing. */
  pause(member?: number | TestMember): void {
    this.#member(member, 'pause').pause();
  }

  /** A paused member goes on where it stood, as after SIGCONT. */
  resume(member?: number | TestMember): void {
    this.#member(member, 'resume').resume();
  }

  /** Ends a member at once, as by SIGKILL. What it has written is still there at `restart`. */
  async kill(member?: number | TestMember): Promise<void> {
    await this.#member(member, 'kill').kill();
  }

  /**
   * Stops a member in good order when it runs, and starts it: also after `kill` or a failure. In an ensemble it has to find the
   * leader then: `ready` waits for that.
   */
  async restart(member?: number | TestMember): Promise<void> {
    await this.#member(member, 'restart').restart();
  }

  /** Breaks every client's connection to a member; they come back by themselves, with their sessions. */
  disconnectClients(member?: number | TestMember): void {
    this.#links.cut(this.#member(member, 'disconnect the clients of'));
  }

  /**
   * Lets `ms` go by at once: sessions that nobody keeps alive expire, containers and TTL znodes go, clients of `client()` time out, ping
   * and try again. Sessions of other clients live on while these are connected and not cut off.
   *
   * @throws Error when `ms` is not a number of at least 0
   */
  async advanceTime(ms: number): Promise<void> {
    this.#requireOpen('advance time');
    if (!(typeof ms === 'number' && ms >= 0 && ms <= testLimits.advanceMsMax)) {
      throw new Error(
        `Cannot advance time: current value is ${String(ms)}; it must be ms, from 0 to ${testLimits.advanceMsMax}`,
      );
    }
    await this.#time.advance(ms, () => this.#links.pingForForeign());
  }

  /** Ends everything: clients of `client()`, members, ports, and the temporary directory. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    // Without a word to the members: they may not be able to answer.
    await Promise.all([...this.#clients].map((zk) => zk.close({ keepSession: true })));
    await Promise.all(this.#tcpPorts.map((port) => port.close()));
    this.#cutOff(new Partition([], () => true));
    await Promise.all(this.#members.map((member) => member.kill()));
    // Clients on our ports learn it while there is time: they can be closed afterwards, too.
    await this.#time.run(() => {});
    await turn();
    this.#time.stop();
    await this.#directory?.remove();
  }

  #cutOff(partition: Partition): void {
    this.#links.setPartition(partition);
    for (const { index: from } of this.#members) {
      for (const { index: to } of this.#members) {
        const isBlocked = !partition.memberReaches(from, to);
        this.#fabric.setBlocked(peerHostOf(from), peerHostOf(to), isBlocked);
      }
    }
    this.#time.poke();
  }

  /** Waits for what members do by themselves. */
  async #wait(isSo: () => boolean, doing: string): Promise<void> {
    // One that has just gone on, or has lost its leader, is to learn that first.
    await this.#time.advance(this.#flows ? 0 : skipMs, () => this.#links.pingForForeign());
    if (this.#flows) return until(isSo, doing);
    await this.#skipTimeUntil(isSo);
    if (!isSo()) throw new Error(`Cannot ${doing}, in ${testLimits.verbMs} ms`);
  }

  /** Lets time go by at once, a little at a time, until it is so. */
  async #skipTimeUntil(isSo: () => boolean): Promise<void> {
    for (let ms = 0; !isSo() && ms < testLimits.verbMs; ms += skipMs) {
      await this.#time.advance(skipMs, () => this.#links.pingForForeign());
    }
  }

  #requireOpen(doing: string): void {
    if (this.#closing !== null) throw new Error(`Cannot ${doing}: the ensemble is closed`);
  }

  #member(which: number | TestMember | undefined, verb: string): Member {
    this.#requireOpen(`${verb} a member`);
    const index = typeof which === 'object' ? which.index : which;
    const count = this.#members.length;
    const member = this.#members[index ?? (count === 1 ? 0 : -1)];
    if (member !== undefined) return member;
    throw new Error(
      `Cannot ${verb} a member: current value is ${String(index)}; there are members 0 to ${count - 1}`,
    );
  }
}

interface EnsembleParts {
  readonly time: EnsembleTime;
  readonly members: readonly Member[];
  readonly links: ClientLinks;
  readonly fabric: PeerFabric;
  readonly flows: boolean;
  readonly tcpPorts: readonly ClientPort[];
  readonly directory: TemporaryDirectory | null;
}

async function makeParts(options: TestEnsembleOptions): Promise<EnsembleParts> {
  const flows = options.clock !== 'manual';
  const time = new EnsembleTime(flows);
  const random = new SeededRandom(options.seed ?? randomInt(2 ** 32));
  const fabric = new PeerFabric(time.clock, steady, { latencyMs: [0, 0], systemBytesMax });
  const directory = options.storage === 'directory' ? await TemporaryDirectory.make() : null;
  const count = options.members ?? 1;
  const tcpPorts =
    options.transport === 'memory' ? [] : Array.from({ length: count }, () => new ClientPort());
  const addresses = await addressesOf(count, tcpPorts);
  const members: Member[] = [];
  const links = new ClientLinks(time, random, members);
  for (const [index, address] of addresses.entries()) {
    const storage = (await directory?.storageOf(index)) ?? new MemoryStorage(time);
    const config = configOf(options, index, addresses, storage.directory);
    const dataDirectory = directory === null ? null : storage.directory;
    const shared = { time, storage, random, fabric };
    const member = new Member({ ...shared, index, config, address, dataDirectory });
    members.push(member);
    tcpPorts[index]?.serve({
      time,
      isUp: () => member.isUp,
      open: (from, handler) => links.openForeign(member, from, handler),
    });
  }
  return { time, members, links, fabric, flows, tcpPorts, directory };
}

async function addressesOf(count: number, tcpPorts: readonly ClientPort[]): Promise<string[]> {
  const ports = await Promise.all(tcpPorts.map((port) => port.listen()));
  return Array.from({ length: count }, (_, i) => `127.0.0.1:${ports[i] ?? memoryPort + i}`);
}

/** Waits for something that the kit has caused, turn by turn. */
async function until(isSo: () => boolean, doing: string): Promise<void> {
  const deadline = AbortSignal.timeout(testLimits.verbMs);
  while (!isSo()) {
    if (deadline.aborted) throw new Error(`Cannot ${doing}, in ${testLimits.verbMs} ms`);
    await turn();
  }
}

function idOf(hi: number, lo: number): bigint {
  return BigInt.asIntN(64, (BigInt(hi) << 32n) | BigInt(lo >>> 0));
}

function halvesOf(id: bigint): { hi: number; lo: number } {
  return { hi: Number(BigInt.asIntN(32, id >> 32n)), lo: Number(BigInt.asIntN(32, id)) };
}

/** The network between members has no whims. */
const steady = { below: (): number => 0 };
/** Bytes between two members that the system takes over. */
const systemBytesMax = 256 * 1024;
/** How much time is skipped at once while something is waited for, ms. */
const skipMs = 10;
/** Where members in memory say that they are. */
const memoryPort = 2181;
