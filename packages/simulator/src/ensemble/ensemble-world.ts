/**
 * The members and clients of an ensemble, the network between them and the time that they share, with every checker at
 * work. Owns what happens and in which order; whoever drives it, at random or from a script, says what is done to them.
 */
import { DiskError, type RoleDetail } from '@meerkat/engine';
import { formatZxid, JuteReader, readTxnHeader } from '@meerkat/protocol';
import { ManualClock } from '../manual-clock.ts';
import { SeededRandom } from '../seeded-random.ts';
import { type Arrival, PeerFabric } from '../simulated-peer-network.ts';
import { AgreedHistory } from './agreed-history.ts';
import { Configurations, spareVoters } from './configurations.ts';
import type { CheckerHost } from './connection-checker.ts';
import { DurabilityChecker } from './durability-checker.ts';
import { clientPort, type EndOfLife, EnsembleMember, ProcessDied } from './ensemble-member.ts';
import {
  dataDirOf,
  type EnsembleSettings,
  memberConfig,
  membersText,
} from './ensemble-settings.ts';
import { HeardSessions } from './heard-sessions.ts';
import { IsolationChecker } from './isolation-checker.ts';
import { LeadershipChecker } from './leadership-checker.ts';
import { MembershipChecker } from './membership-checker.ts';
import { ModelHistory } from './model-history.ts';
import { SessionChecker } from './session-checker.ts';
import { SimulatedClient } from './simulated-client.ts';
import { compareState } from './state-comparison.ts';
import { Trace } from './trace.ts';
import { demand } from './violation.ts';

export class EnsembleWorld implements CheckerHost {
  readonly clock: ManualClock = new ManualClock();
  readonly trace: Trace;
  readonly settings: EnsembleSettings;
  readonly members: readonly EnsembleMember[];
  readonly clients: readonly SimulatedClient[];
  readonly fabric: PeerFabric;
  readonly history: ModelHistory;
  readonly agreed: AgreedHistory;
  readonly configurations: Configurations;
  readonly counts = { replies: 0, writes: 0, events: 0, readOnlyReplies: 0 };
  acknowledgedZxid = 0;
  readonly leadership: LeadershipChecker;
  readonly sessions: SessionChecker;
  /** Called when a member is down, however it came to that; it stays down unless somebody starts it. */
  protected onDown: (member: EnsembleMember) => void = () => {};
  readonly #heard: HeardSessions;
  readonly #random: SeededRandom;
  /** What the damaged disk of the member that is starting gives; it may be refused when all of it is read. */
  #shown: { zxid: number; bytes: Uint8Array; before: number }[] = [];
  readonly #membership: MembershipChecker;
  readonly #isolation: IsolationChecker;
  readonly #durability: DurabilityChecker;

  /** @param random draws what the world does by itself: latencies, and what a crash leaves */
  constructor(settings: EnsembleSettings, random: SeededRandom) {
    this.#random = random;
    this.settings = settings;
    this.trace = new Trace(this.clock);
    this.history = new ModelHistory(settings.maxNeverUsedMs);
    const { latencyMs, systemBytesMax, voters, observers, spares, firstId, tickTimeMs } = settings;
    const text = `${membersText(settings)}\nversion=0`;
    this.configurations = new Configurations(text);
    const { configurations, history } = this;
    this.#membership = new MembershipChecker(configurations, history, text, spares > 0);
    const network = new SeededRandom(random.below(2 ** 32));
    this.fabric = new PeerFabric(this.clock, network, { latencyMs, systemBytesMax });
    this.agreed = new AgreedHistory((transaction) => {
      this.history.append(transaction);
      const inForce = this.#membership.onCommitted(this.nowMs());
      if (inForce !== null) this.say(`committed: ${inForce.replaceAll('\n', ', ')}`);
      this.sessions.onCommitted(this.history.last);
      this.#durability.onCommitted(transaction.zxid);
    });
    this.leadership = new LeadershipChecker(this.agreed, this.configurations);
    this.members = Array.from({ length: voters + observers + spares }, (_, i) =>
      this.#newMember(firstId + i),
    );
    this.#durability = new DurabilityChecker(this.members, this.configurations);
    this.#heard = new HeardSessions(this.members, tickTimeMs);
    this.fabric.onArrived = (arrival) => this.#arrived(arrival);
    this.sessions = new SessionChecker(this.history, this.clock, this.#heard, tickTimeMs);
    this.clients = Array.from({ length: settings.clients }, (_, i) => this.#newClient(i + 1));
    // `syncLimit`, what was under way, and the leader's next look at its quorum.
    const patienceMs = 9 * tickTimeMs;
    const { members, fabric } = this;
    this.#isolation = new IsolationChecker(members, configurations, fabric, patienceMs);
    // Who reaches its leader for a moment only is not cut off all the time.
    this.fabric.onFreed = () => this.#isolation.look(this.nowMs());
    this.#observe();
  }

  get hasLocalSessions(): boolean {
    return this.settings.localSessions;
  }

  get tickTimeMs(): number {
    return this.settings.tickTimeMs;
  }

  /** Who leads and serves, as far as it knows itself; the one of the newest epoch when several do. */
  get leader(): EnsembleMember | undefined {
    const leaders = this.members.filter(({ role }) => role === 'leading');
    return leaders.sort((a, b) => b.epoch - a.epoch)[0];
  }

  nowMs(): number {
    return this.clock.monotonicMs();
  }

  after(ms: number, action: () => void): void {
    this.clock.after(ms, action);
  }

  say(text: string): void {
    this.trace.say(text);
  }

  /** Starts a member that is down. */
  start(member: EnsembleMember): void {
    this.say(`${member.id} starts, life ${member.lives + 1}`);
    this.survive(() => {
      this.#shown = [];
      if (!member.start()) return;
      const isTrusted = this.#shown.at(-1)?.zxid === member.lastProcessedZxid;
      for (const { zxid, bytes, before } of isTrusted ? this.#shown : [])
        this.#saw(member, zxid, bytes, before);
      this.leadership.onRecovered(member);
      // A server that is alone serves what it has read: that is durable only now.
      if (member.isServing) this.#serves(member, member.lastProcessedZxid);
    });
  }

  /** Ends a member's life. */
  crash(member: EnsembleMember, how: EndOfLife): void {
    if (!member.isUp) return;
    this.say(`${member.id} ends by ${how}`);
    member.crash(how);
    this.onDown(member);
  }

  /** Ends a member's life, and does something to its disk that may take what it has promised. */
  loseDisk(member: EnsembleMember, damage: (member: EnsembleMember) => void): boolean {
    if (!this.mayLoseDisk(member)) return false;
    if (member.isUp) {
      this.say(`${member.id} ends, and its disk with it`);
      member.crash('power');
    }
    member.isDamaged = true;
    this.leadership.onDiskLost(member);
    damage(member);
    this.onDown(member);
    return true;
  }

  /**
   * Whether everything is somewhere even without a member's disk: with fewer than half of the voters damaged, and those
   * not voting, it is; and so it must be by every configuration that may be in force soon.
   */
  mayLoseDisk(member: EnsembleMember): boolean {
    const { configurations } = this;
    const damaged = this.members.filter((each) => {
      const isMissing = each.isDamaged || each.isEmpty || configurations.isObserver(each.id);
      return isMissing && each !== member;
    });
    return this.configurations.possible.every((voters) => {
      const missing = damaged.filter(({ id }) => voters.has(id)).length;
      return !voters.has(member.id) || missing < spareVoters(voters);
    });
  }

  /** A member that is down, and whose data nobody needs, gets an empty disk. */
  replaceDisk(member: EnsembleMember): void {
    this.say(`${member.id} gets an empty disk`);
    this.leadership.onDiskLost(member);
    member.wipe();
    member.isDamaged = false;
    member.isEmpty = true;
  }

  /** Stops a member in good order. */
  stop(member: EnsembleMember): void {
    this.say(`${member.id} is told to stop`);
    this.survive(() => {
      member.stop(() => {
        this.say(`${member.id} has stopped`);
        this.onDown(member);
      });
    });
  }

  /** Lets time go by. */
  runFor(ms: number): void {
    let isOver = false;
    this.clock.after(ms, () => {
      isOver = true;
    });
    while (!isOver) this.#step();
  }

  /**
   * Lets time go by until something is so.
   *
   * @throws Violation of `rule` when it is not so within `withinMs`
   */
  runUntil(isSo: () => boolean, withinMs: number, rule: string, detail: () => string): number {
    const beganMs = this.nowMs();
    while (!isSo()) {
      this.runFor(10);
      const afterMs = this.nowMs() - beganMs;
      demand(afterMs < withinMs, rule, () => `after ${afterMs} ms ${detail()}`);
    }
    return this.nowMs() - beganMs;
  }

  /** Does something in the middle of which a member may die: it is gone then, and nobody else. */
  survive(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (error instanceof ProcessDied) {
        this.crash(error.member, error.how);
        return;
      }
      // An error of the disk that nobody has caught ends the process, as it does in production.
      const path = error instanceof DiskError ? error.path : '';
      const owner = this.members.find(({ id }) => path.startsWith(`${dataDirOf(id)}/`));
      if (owner === undefined) throw error;
      this.say(`${owner.id} ends with ${String(error)}`);
      this.crash(owner, 'power');
    }
  }

  /**
   * To be called when all is quiet and everybody is up: nothing may be missing, and all members must be the same.
   *
   * @throws Violation when they are not
   */
  checkEnd(): void {
    for (const client of this.clients) {
      if (!client.isConnected || client.connection === null) continue;
      demand(client.underWay === 0, 'everything is answered', () => `${client.name} waits`);
      client.connection.checkAllEvents();
      checkWatchesOf(client);
    }
    for (const member of this.members) {
      if (!this.configurations.has(member.id)) {
        if (member.isServing) compareState(member, this.history);
        continue;
      }
      const last = this.leadership.lastBefore(member.historyZxid);
      demand(last === this.agreed.lastZxid, 'all members have the same history', () => {
        return `${member.id} is at ${formatZxid(member.historyZxid)}, not ${formatZxid(this.agreed.lastZxid)}`;
      });
      compareState(member, this.history);
    }
    this.sessions.checkEnd();
  }

  /** Roles and zxids of all members, for messages. */
  describeMembers(): string {
    return this.members
      .map(({ id, role, lastProcessedZxid }) => `${id} ${role} at ${formatZxid(lastProcessedZxid)}`)
      .join(', ');
  }

  #newMember(id: number): EnsembleMember {
    const { diskLatencyMs } = this.settings;
    return new EnsembleMember(
      id,
      memberConfig(this.settings, id),
      {
        clock: this.clock,
        fabric: this.fabric,
        seed: this.#random.below(2 ** 32),
        disk: { latencyMs: diskLatencyMs },
      },
      {
        onApplied: (member, bytes, start, end, before) =>
          this.#applied(member, bytes.subarray(start, end), before),
        onRole: (member, role, detail) => this.#roleChanged(member, role, detail),
        onSessionExpired: (member, session) => {
          this.say(`${member.id} lets ${session} expire`);
          this.sessions.onExpired(member, session);
        },
        onMembersChanged: (member, text) => {
          this.#membership.onTold(member, text);
        },
        onNotice: (member, text) => this.say(`${member.id}: ${text}`),
        onEnded: (member, why, isDataLost) => this.#endedItself(member, why, isDataLost),
      },
    );
  }

  #newClient(number: number): SimulatedClient {
    const { clock, fabric } = this;
    const random = new SeededRandom(this.#random.below(2 ** 32));
    const servers = this.members.map(({ host }) => `${host}:${clientPort}`).join();
    return new SimulatedClient(number, { clock, fabric, random, servers, checkers: this });
  }

  #arrived(arrival: Arrival): void {
    const client = this.clients.find(({ host }) => host === arrival.from);
    const connection = client?.connection ?? null;
    const isServed = connection !== null && connection.stream === arrival.stream;
    const record = isServed && arrival.sentMs >= connection.establishedMs ? client?.record : null;
    this.#heard.arrived(arrival, this.nowMs(), record ?? null);
  }

  #step(): void {
    this.survive(() => {
      if (!this.clock.step()) throw new Error('virtual time stands still');
    });
  }

  #observe(): void {
    this.#isolation.look(this.nowMs());
    this.clock.after(this.tickTimeMs / 2, () => this.#observe());
  }

  #applied(member: EnsembleMember, bytes: Uint8Array, before: number): void {
    const { zxid } = readTxnHeader(new JuteReader(bytes));
    // A repeated transaction: a fuzzy snapshot had it already.
    if (zxid <= before) return;
    if (member.isDamaged && member.isStarting) {
      this.#shown.push({ zxid, bytes: bytes.slice(), before });
      return;
    }
    const stood = member.role === 'leading' ? member.historyZxid : before;
    this.#saw(member, zxid, bytes, stood);
    if (member.isServing && !member.isStarting) this.#serves(member, zxid);
  }

  #serves(member: EnsembleMember, zxid: number): void {
    this.agreed.served(`member ${member.id}`, zxid);
    this.#membership.onServing(member);
  }

  #saw(member: EnsembleMember, zxid: number, bytes: Uint8Array, before: number): void {
    this.agreed.seen(`member ${member.id}`, zxid, bytes, this.leadership.lastBefore(before));
  }

  #roleChanged(member: EnsembleMember, role: string, detail: RoleDetail): void {
    const at = formatZxid(member.lastProcessedZxid);
    this.say(
      `${member.id} is ${role} in epoch ${detail.epoch} at ${at}, leader ${detail.leader}, ${detail.sync} ${detail.reason}`,
    );
    if (role !== 'looking') {
      const wasVoter = this.configurations.isVoter(member.id);
      const last = this.leadership.lastBefore(member.historyZxid);
      if (last !== -1) this.agreed.served(`member ${member.id}`, last);
      this.#membership.onServing(member, role === 'leading' ? detail.epoch : 0);
      if (role === 'leading') this.leadership.checkVote(member, wasVoter);
      member.isDamaged = false;
      member.isEmpty = false;
      member.isGivenMembers = false;
    }
    this.leadership.onRole(member, member.role, detail);
  }

  #endedItself(member: EnsembleMember, why: string, isDataLost: boolean): void {
    this.say(`${member.id} ends itself: ${why}`);
    if (!isDataLost) {
      this.crash(member, 'power');
      return;
    }
    demand(member.isDamaged, 'a disk that lost nothing is trusted', () => `${member.id} ${why}`);
    // Somebody reads that and gives it an empty disk.
    member.crash('kill');
    member.wipe();
    this.onDown(member);
  }
}

/** What a client believes to be watched, its server must watch. */
function checkWatchesOf({ session, connection, name }: SimulatedClient): void {
  if (session === null || connection === null || connection.watches.withheld > 0) return;
  for (const lists of session.watches.registry.portions(1e9)) {
    for (const [list, kind] of [
      ['data', 'data'],
      ['exist', 'data'],
      ['child', 'child'],
      ['persistent', 'persistent'],
      ['persistentRecursive', 'recursive'],
    ] as const) {
      for (const path of lists[list]) {
        demand(connection.watches.isSet(kind, path), 'no watch is lost', () => {
          return `${name} believes that ${path} is watched (${list}), and the server does not`;
        });
      }
    }
  }
}
