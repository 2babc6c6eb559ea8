/**
 * A whole ensemble and its clients in one process, under virtual time: the replicas of production and the client
 * library's core, while everything around them fails. One seed draws the ensemble, what clients ask and what breaks,
 * and repeats it. First anything may break; then nothing does any more, and everybody must be served.
 */
import { DiskError, type RoleDetail } from '@meerkat/engine';
import { formatZxid, JuteReader, readTxnHeader } from '@meerkat/protocol';
import { ManualClock } from '../manual-clock.ts';
import { SeededRandom } from '../seeded-random.ts';
import { PeerFabric } from '../simulated-peer-network.ts';
import { AgreedHistory } from './agreed-history.ts';
import type { CheckerHost } from './connection-checker.ts';
import { clientPort, type EndOfLife, EnsembleMember, ProcessDied } from './ensemble-member.ts';
import {
  dataDirOf,
  drawSettings,
  type EnsembleSettings,
  memberConfig,
} from './ensemble-settings.ts';
import type { FaultHost } from './fault.ts';
import { FaultSchedule } from './fault-schedule.ts';
import { IsolationChecker } from './isolation-checker.ts';
import { LeadershipChecker } from './leadership-checker.ts';
import { ModelHistory } from './model-history.ts';
import { SessionChecker } from './session-checker.ts';
import { SimulatedClient } from './simulated-client.ts';
import { compareState } from './state-comparison.ts';
import { Trace } from './trace.ts';
import { demand } from './violation.ts';
import { Workload } from './workload.ts';

/** What a simulation did. */
export interface EnsembleReport {
  readonly seed: number;
  readonly members: number;
  readonly clients: number;
  /** Virtual time, ms. */
  readonly simulatedMs: number;
  /** How long it took, once nothing broke any more, until everybody was served, ms. */
  readonly healedAfterMs: number;
  readonly transactions: number;
  readonly replies: number;
  readonly events: number;
  readonly epochs: number;
  readonly faults: ReadonlyMap<string, number>;
  /** A number that is the same only when everything was. */
  readonly hash: string;
}

/** Runs one simulation of an ensemble. */
export class EnsembleSimulation implements FaultHost, CheckerHost {
  readonly clock: ManualClock = new ManualClock();
  readonly trace: Trace;
  readonly settings: EnsembleSettings;
  readonly members: readonly EnsembleMember[];
  readonly clients: readonly SimulatedClient[];
  readonly fabric: PeerFabric;
  readonly history: ModelHistory = new ModelHistory();
  readonly agreed: AgreedHistory;
  readonly counts = { replies: 0, writes: 0, events: 0 };
  acknowledgedZxid = 0;
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #leadership: LeadershipChecker;
  readonly #sessions: SessionChecker;
  readonly #isolation: IsolationChecker;
  readonly #faults: FaultSchedule;
  readonly #workload: Workload;
  #isStorm = true;
  #isQuiet = false;

  /** @param overrides settings that are not drawn */
  constructor(seed: number, overrides: Partial<EnsembleSettings> = {}) {
    this.#seed = seed;
    const random = new SeededRandom(seed);
    this.#random = random;
    this.trace = new Trace(this.clock);
    this.settings = { ...drawSettings(random), ...overrides };
    const { latencyMs, systemBytesMax } = this.settings;
    const network = new SeededRandom(random.below(2 ** 32));
    this.fabric = new PeerFabric(this.clock, network, { latencyMs, systemBytesMax });
    this.agreed = new AgreedHistory((transaction) => {
      this.history.append(transaction);
      this.#sessions.onCommitted(this.history.last);
    });
    this.#leadership = new LeadershipChecker(this.agreed);
    const count = this.settings.voters + this.settings.observers;
    this.members = Array.from({ length: count }, (_, i) => this.#newMember(i + 1));
    const servers = this.members.map(({ host }) => `${host}:${clientPort}`).join();
    const { clock, fabric } = this;
    this.clients = Array.from({ length: this.settings.clients }, (_, i) => {
      const own = new SeededRandom(random.below(2 ** 32));
      return new SimulatedClient(i + 1, { clock, fabric, random: own, servers, checkers: this });
    });
    const { voters, tickTimeMs } = this.settings;
    // `syncLimit`, what was under way, and the leader's next look at its quorum.
    this.#isolation = new IsolationChecker(this.members, voters, fabric, 9 * tickTimeMs);
    this.#sessions = new SessionChecker(this.history, this.clock, this.settings.tickTimeMs);
    this.#workload = new Workload(
      new SeededRandom(random.below(2 ** 32)),
      this.settings.tickTimeMs,
    );
    this.#faults = new FaultSchedule(new SeededRandom(random.below(2 ** 32)), this);
    this.say(`seed ${seed}: ${JSON.stringify(this.settings)}`);
    this.say(`faults: ${this.#faults.kinds.join(', ')}`);
  }

  /**
   * Runs it to its end.
   *
   * @throws Violation when a promise was broken; any other error when an assertion of the engine failed
   */
  run(): EnsembleReport {
    const beganMs = this.nowMs();
    for (const member of this.members) this.#startLater(member, 1000);
    for (const client of this.clients) this.#live(client);
    this.#observe();
    this.#runFor(5 * this.settings.tickTimeMs);
    const untilMs = this.nowMs() + this.settings.stormMs;
    while (this.nowMs() < untilMs) {
      this.#runFor(1 + this.#random.below(this.settings.faultGapMs));
      this.#survive(() => this.#faults.breakSomething());
    }
    const healedAfterMs = this.#heal();
    this.#settle();
    return {
      seed: this.#seed,
      members: this.members.length,
      clients: this.clients.length,
      simulatedMs: this.nowMs() - beganMs,
      healedAfterMs,
      transactions: this.agreed.length,
      replies: this.counts.replies,
      events: this.counts.events,
      epochs: this.#leadership.epochs,
      faults: this.#faults.counts,
      hash: this.trace.hash,
    };
  }

  // What checkers and faults ask for

  get tickTimeMs(): number {
    return this.settings.tickTimeMs;
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

  crash(member: EnsembleMember, how: EndOfLife): void {
    if (!member.isUp) return;
    this.say(`${member.id} ends by ${how}`);
    member.crash(how);
    if (this.#random.percent(85) || !this.#isStorm) this.#startLater(member, 10_000);
  }

  loseDisk(member: EnsembleMember, damage: (member: EnsembleMember) => void): boolean {
    const isVoter = member.id <= this.settings.voters;
    const damaged = this.members.filter((each) => each.isDamaged && each !== member).length;
    const most = Math.floor((this.settings.voters - 1) / 2);
    if (isVoter && damaged + 1 > most) return false;
    if (member.isUp) {
      this.say(`${member.id} ends, and its disk with it`);
      member.crash('power');
    }
    member.isDamaged = true;
    this.#leadership.onDiskLost(member);
    damage(member);
    this.#startLater(member, 10_000);
    return true;
  }

  stop(member: EnsembleMember): void {
    this.say(`${member.id} is told to stop`);
    member.stop(() => {
      this.say(`${member.id} has stopped`);
      this.#startLater(member, 5000);
    });
  }

  // Members

  #observe(): void {
    this.#isolation.look(this.nowMs());
    this.clock.after(this.settings.tickTimeMs / 2, () => this.#observe());
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
        onSessionExpired: (member, session) => this.say(`${member.id} lets ${session} expire`),
        onNotice: (member, text) => this.say(`${member.id}: ${text}`),
        onEnded: (member, why, isDataLost) => this.#endedItself(member, why, isDataLost),
      },
    );
  }

  #startLater(member: EnsembleMember, withinMs: number): void {
    this.clock.after(this.#random.below(withinMs), () => {
      if (!member.isUp) this.#start(member);
    });
  }

  #start(member: EnsembleMember): void {
    this.say(`${member.id} starts, life ${member.lives + 1}`);
    member.start();
    if (member.isUp) this.#leadership.onRecovered(member);
  }

  #applied(member: EnsembleMember, bytes: Uint8Array, before: number): void {
    const { zxid } = readTxnHeader(new JuteReader(bytes));
    // A repeated transaction: a fuzzy snapshot had it already.
    if (zxid <= before) return;
    // What a damaged disk still gives may be refused when all of it is read.
    if (member.isDamaged && member.isStarting) return;
    const stood = member.role === 'leading' ? member.historyZxid : before;
    this.agreed.seen(`member ${member.id}`, zxid, bytes, this.#leadership.lastBefore(stood));
    if (member.isServing) this.agreed.served(`member ${member.id}`, zxid);
  }

  #roleChanged(member: EnsembleMember, role: string, detail: RoleDetail): void {
    const at = formatZxid(member.lastProcessedZxid);
    this.say(
      `${member.id} is ${role} in epoch ${detail.epoch} at ${at}, leader ${detail.leader}, ${detail.sync} ${detail.reason}`,
    );
    if (role !== 'looking') {
      const last = this.#leadership.lastBefore(member.historyZxid);
      if (last !== -1) this.agreed.served(`member ${member.id}`, last);
      member.isDamaged = false;
    }
    this.#leadership.onRole(member, member.role, detail);
  }

  #endedItself(member: EnsembleMember, why: string, isDataLost: boolean): void {
    this.say(`${member.id} ends itself: ${why}`);
    if (!isDataLost) {
      this.crash(member, 'power');
      return;
    }
    demand(member.isDamaged, 'a disk that lost nothing is trusted', () => `${member.id} ${why}`);
    member.crash('kill');
    member.wipe();
    this.#startLater(member, 5000);
  }

  // Clients

  #live(client: SimulatedClient): void {
    this.clock.after(1 + this.#random.below(this.settings.thinkMs), () => {
      if (!this.#isQuiet) this.#act(client);
      this.#live(client);
    });
  }

  #act(client: SimulatedClient): void {
    if (client.isIdle) {
      this.#sessions.forget(client.record);
      client.open(this.#workload.drawOpening());
      this.#sessions.watch(client.record);
    } else if (!client.isConnected || client.underWay > 30) {
      return;
    } else if (this.#isStorm && this.#random.below(150) === 0) {
      this.say(`${client.name} closes its session`);
      client.close();
    } else {
      client.submit(this.#workload.drawBurst(this.history.last.tree));
    }
  }

  // Time

  #runFor(ms: number): void {
    let isOver = false;
    this.clock.after(ms, () => {
      isOver = true;
    });
    while (!isOver) this.#step();
  }

  #step(): void {
    this.#survive(() => {
      if (!this.clock.step()) throw new Error('virtual time stands still');
    });
  }

  /** Whoever dies in the middle of something is gone, and nobody else. */
  #survive(action: () => void): void {
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

  /** Nothing breaks any more: a quorum at least is up, and everybody must be served soon. */
  #heal(): number {
    this.#isStorm = false;
    this.#faults.end();
    for (const member of this.members) {
      member.doom(0, 'kill');
      this.#startLater(member, 1000);
    }
    this.say('from now on nothing breaks');
    const beganMs = this.nowMs();
    this.#sessions.calmSinceMs = beganMs;
    for (const client of this.clients) client.successes = 0;
    while (!this.#isHealed()) {
      this.#runFor(100);
      const afterMs = this.nowMs() - beganMs;
      demand(
        afterMs < healingTicksMax * this.settings.tickTimeMs,
        'a connected majority serves',
        () => {
          const waiting = this.clients.filter(({ successes }) => successes === 0);
          const roles = this.members.map(({ id, role, lastProcessedZxid }) => {
            return `${id} ${role} at ${formatZxid(lastProcessedZxid)}`;
          });
          return `after ${afterMs} ms ${waiting.map(({ name }) => name).join()} wait; ${roles.join(', ')}`;
        },
      );
    }
    return this.nowMs() - beganMs;
  }

  /** All members serve, and every client has written something. */
  #isHealed(): boolean {
    return (
      this.members.every(({ isServing }) => isServing) &&
      this.clients.every(({ successes }) => successes > 0)
    );
  }

  /** Lets all clients fall silent and everything arrive; then all members must be the same. */
  #settle(): void {
    this.#runFor(10 * this.settings.tickTimeMs);
    this.#isQuiet = true;
    this.say('the clients ask for nothing more');
    this.#runFor(5 * this.settings.tickTimeMs);
    for (const client of this.clients) {
      if (!client.isConnected || client.connection === null) continue;
      demand(client.underWay === 0, 'everything is answered', () => `${client.name} waits`);
      client.connection.checkAllEvents();
      this.#checkWatchesOf(client);
    }
    for (const member of this.members) {
      const last = this.#leadership.lastBefore(member.historyZxid);
      demand(last === this.agreed.lastZxid, 'all members have the same history', () => {
        return `${member.id} is at ${formatZxid(member.historyZxid)}, not ${formatZxid(this.agreed.lastZxid)}`;
      });
      compareState(member, this.history);
    }
    this.#sessions.checkEnd();
  }

  /** What the client believes to be watched, the server must watch. */
  #checkWatchesOf({ session, connection, name }: SimulatedClient): void {
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
}

/** How long it may take until everybody is served, ticks. */
const healingTicksMax = 60;
