/**
 * A whole ensemble and its clients in one process, under virtual time: the replicas of production and the client
 * library's core, while everything around them fails. One seed draws the ensemble, what clients ask and what breaks,
 * and repeats it. First anything may break; then nothing does any more, and everybody must be served.
 */
import { SeededRandom } from '../seeded-random.ts';
import type { EnsembleMember } from './ensemble-member.ts';
import { drawSettings, drawSpares, type EnsembleSettings } from './ensemble-settings.ts';
import { EnsembleWorld } from './ensemble-world.ts';
import type { FaultHost } from './fault.ts';
import { FaultSchedule } from './fault-schedule.ts';
import { MembershipChanges } from './membership-changes.ts';
import type { SimulatedClient } from './simulated-client.ts';
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
export class EnsembleSimulation extends EnsembleWorld implements FaultHost {
  protected override onDown = (member: EnsembleMember): void => {
    if (!this.#changes.wants(member)) return;
    // Most come back by themselves; the rest waits for the end of the storm, or for nobody to look after it.
    if (this.#dice.percent(85) || !this.#isStorm) this.#startLater(member, 10_000);
  };
  readonly #seed: number;
  readonly #dice: SeededRandom;
  readonly #faults: FaultSchedule;
  readonly #workload: Workload;
  readonly #changes: MembershipChanges;
  /** The client that asks for other members; null where nobody does. */
  readonly #admin: SimulatedClient | null = null;
  #isStorm = true;
  #isQuiet = false;

  /** @param overrides settings that are not drawn */
  constructor(seed: number, overrides: Partial<EnsembleSettings> = {}) {
    const random = new SeededRandom(seed);
    super(drawnSettings(seed, random, overrides), random);
    this.#seed = seed;
    this.#dice = new SeededRandom(random.below(2 ** 32));
    const { localSessions, localSessionsUpgrading } = this.settings;
    const hasEphemerals = !localSessions || localSessionsUpgrading;
    const requests = new SeededRandom(random.below(2 ** 32));
    this.#workload = new Workload(requests, this.tickTimeMs, { hasEphemerals, ttlMsMax: 20_000 });
    this.#faults = new FaultSchedule(new SeededRandom(random.below(2 ** 32)), this);
    const changes = new SeededRandom(seed + changesSeed);
    this.#changes = new MembershipChanges(changes, this, (member) => {
      this.#startLater(member, 4 * this.tickTimeMs);
    });
    if (this.settings.spares > 0) this.#admin = this.clients.at(-1) ?? null;
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
    for (const member of this.members) {
      if (this.#changes.wants(member)) this.#startLater(member, 1000);
    }
    if (this.#admin !== null) this.#changes.begin();
    for (const client of this.clients) this.#live(client);
    this.runFor(5 * this.tickTimeMs);
    const untilMs = this.nowMs() + this.settings.stormMs;
    while (this.nowMs() < untilMs) {
      this.runFor(1 + this.#dice.below(this.settings.faultGapMs));
      this.survive(() => this.#faults.breakSomething());
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
      epochs: this.leadership.epochs,
      faults: new Map([...this.#faults.counts, ...this.#changes.counts]),
      hash: this.trace.hash,
    };
  }

  #startLater(member: EnsembleMember, withinMs: number): void {
    this.after(this.#dice.below(withinMs), () => {
      if (!member.isUp && this.#changes.makeReady(member)) this.start(member);
    });
  }

  #live(client: SimulatedClient): void {
    this.after(1 + this.#dice.below(this.settings.thinkMs), () => {
      if (!this.#isQuiet) this.#act(client);
      this.#live(client);
    });
  }

  #act(client: SimulatedClient): void {
    if (client.isIdle) {
      this.sessions.forget(client.record);
      const opening = this.#workload.drawOpening(this.settings.readOnly);
      client.open(client === this.#admin ? this.#changes.drawOpening(opening) : opening);
      this.sessions.watch(client.record);
    } else if (!(client.isConnected || client.isConnectedReadOnly) || client.underWay > 30) {
      return;
    } else if (this.#isStorm && this.#dice.below(150) === 0) {
      this.say(`${client.name} closes its session`);
      client.close();
    } else if (client === this.#admin) {
      if (client.isConnected) this.#changes.act(client);
    } else {
      client.submit(this.#workload.drawBurst(this.history.last.tree));
    }
  }

  #isServed(client: SimulatedClient): boolean {
    return client === this.#admin ? this.#changes.isServed(client) : client.successes > 0;
  }

  /** Nothing breaks any more, all members are started, and everybody must be served soon. */
  #heal(): number {
    this.#isStorm = false;
    this.#faults.end();
    this.#changes.end();
    for (const member of this.members) {
      member.doom(0, 'kill');
      if (this.#changes.wants(member)) this.#startLater(member, 1000);
    }
    this.say('from now on nothing breaks');
    this.sessions.calmSinceMs = this.nowMs();
    for (const client of this.clients) client.successes = 0;
    const isHealed = (): boolean =>
      this.members.every(({ id, isServing }) => isServing || !this.configurations.has(id)) &&
      this.clients.every((client) => this.#isServed(client));
    const withinMs = healingTicksMax * this.tickTimeMs;
    return this.runUntil(isHealed, withinMs, 'a connected majority serves', () => {
      const waiting = this.clients.filter((client) => !this.#isServed(client));
      return `${waiting.map(({ name }) => name).join()} wait; ${this.describeMembers()}`;
    });
  }

  /** Lets all clients fall silent and everything arrive; then all members must be the same. */
  #settle(): void {
    this.runFor(10 * this.tickTimeMs);
    this.#isQuiet = true;
    this.say('the clients ask for nothing more');
    this.runFor(5 * this.tickTimeMs);
    // The leader still deletes what nobody needs: the end is where everything has arrived.
    for (let count = -1; count !== this.agreed.length; this.runFor(this.tickTimeMs)) {
      count = this.agreed.length;
    }
    this.checkEnd();
  }
}

function drawnSettings(
  seed: number,
  random: SeededRandom,
  overrides: Partial<EnsembleSettings>,
): EnsembleSettings {
  const settings = { ...drawSettings(random), ...overrides };
  const drawn = drawSpares(new SeededRandom(seed + changesSeed), settings.voters);
  const spares = overrides.spares ?? drawn;
  // One more client: the one that asks for other members.
  return { ...settings, spares, clients: settings.clients + (spares > 0 ? 1 : 0) };
}

/** What changes members is drawn apart from the rest. */
const changesSeed = 7_000_003;

/** How long it may take until everybody is served, ticks. */
const healingTicksMax = 60;
