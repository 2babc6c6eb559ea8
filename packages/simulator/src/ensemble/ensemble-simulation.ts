/**
 * A whole ensemble and its clients in one process, under virtual time: the replicas of production and the client
 * library's core, while everything around them fails. One seed draws the ensemble, what clients ask and what breaks,
 * and repeats it. First anything may break; then nothing does any more, and everybody must be served.
 */
import { SeededRandom } from '../seeded-random.ts';
import type { EnsembleMember } from './ensemble-member.ts';
import { drawSettings, type EnsembleSettings } from './ensemble-settings.ts';
import { EnsembleWorld } from './ensemble-world.ts';
import type { FaultHost } from './fault.ts';
import { FaultSchedule } from './fault-schedule.ts';
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
    // Most come back by themselves; the rest waits for the end of the storm, or for nobody to look after it.
    if (this.#dice.percent(85) || !this.#isStorm) this.#startLater(member, 10_000);
  };
  readonly #seed: number;
  readonly #dice: SeededRandom;
  readonly #faults: FaultSchedule;
  readonly #workload: Workload;
  #isStorm = true;
  #isQuiet = false;

  /** @param overrides settings that are not drawn */
  constructor(seed: number, overrides: Partial<EnsembleSettings> = {}) {
    const random = new SeededRandom(seed);
    super({ ...drawSettings(random), ...overrides }, random);
    this.#seed = seed;
    this.#dice = new SeededRandom(random.below(2 ** 32));
    this.#workload = new Workload(new SeededRandom(random.below(2 ** 32)), this.tickTimeMs);
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
      faults: this.#faults.counts,
      hash: this.trace.hash,
    };
  }

  #startLater(member: EnsembleMember, withinMs: number): void {
    this.after(this.#dice.below(withinMs), () => {
      if (!member.isUp) this.start(member);
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
      client.open(this.#workload.drawOpening());
      this.sessions.watch(client.record);
    } else if (!client.isConnected || client.underWay > 30) {
      return;
    } else if (this.#isStorm && this.#dice.below(150) === 0) {
      this.say(`${client.name} closes its session`);
      client.close();
    } else {
      client.submit(this.#workload.drawBurst(this.history.last.tree));
    }
  }

  /** Nothing breaks any more, all members are started, and everybody must be served soon. */
  #heal(): number {
    this.#isStorm = false;
    this.#faults.end();
    for (const member of this.members) {
      member.doom(0, 'kill');
      this.#startLater(member, 1000);
    }
    this.say('from now on nothing breaks');
    this.sessions.calmSinceMs = this.nowMs();
    for (const client of this.clients) client.successes = 0;
    const isHealed = (): boolean =>
      this.members.every(({ isServing }) => isServing) &&
      this.clients.every(({ successes }) => successes > 0);
    const withinMs = healingTicksMax * this.tickTimeMs;
    return this.runUntil(isHealed, withinMs, 'a connected majority serves', () => {
      const waiting = this.clients.filter(({ successes }) => successes === 0);
      return `${waiting.map(({ name }) => name).join()} wait; ${this.describeMembers()}`;
    });
  }

  /** Lets all clients fall silent and everything arrive; then all members must be the same. */
  #settle(): void {
    this.runFor(10 * this.tickTimeMs);
    this.#isQuiet = true;
    this.say('the clients ask for nothing more');
    this.runFor(5 * this.tickTimeMs);
    this.checkEnd();
  }
}

/** How long it may take until everybody is served, ticks. */
const healingTicksMax = 60;
