/**
 * Processes that use a recipe on a whole simulated ensemble while connections, servers and the processes themselves
 * fail. One seed draws everything. First anything may break; then nothing does any more, everybody must be served,
 * and what is left must be as the recipe promises.
 */
import { plainRoles } from '../ensemble/drawn-roles.ts';
import type { EnsembleSettings } from '../ensemble/ensemble-settings.ts';
import type { Fault } from '../ensemble/fault.ts';
import { FaultSchedule } from '../ensemble/fault-schedule.ts';
import { networkFaults } from '../ensemble/network-faults.ts';
import { processFaults } from '../ensemble/process-faults.ts';
import { SeededRandom } from '../seeded-random.ts';
import type { RecipeProcess } from './recipe-process.ts';
import type { RecipeScenario, ScenarioHost } from './recipe-scenario.ts';
import { RecipeWorld } from './recipe-world.ts';

/** Makes the scenario of a run. */
export type ScenarioMaker = (host: ScenarioHost) => RecipeScenario;

/** What a simulation did. */
export interface RecipeReport {
  readonly seed: number;
  readonly processes: number;
  /** Lives of all processes. */
  readonly lives: number;
  /** Virtual time, ms. */
  readonly simulatedMs: number;
  /** How long it took, once nothing broke any more, until everybody was served, ms. */
  readonly healedAfterMs: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  /** A number that is the same only when everything was. */
  readonly hash: string;
}

/** Runs one simulation of a recipe. */
export class RecipeSimulation extends RecipeWorld implements ScenarioHost {
  readonly random: SeededRandom;
  readonly #seed: number;
  readonly #scenario: RecipeScenario;
  readonly #faults: FaultSchedule;

  constructor(seed: number, makeScenario: ScenarioMaker) {
    const random = new SeededRandom(seed);
    super(drawRecipeSettings(random), random, (process) => this.#scenario.live(process));
    this.#seed = seed;
    this.random = new SeededRandom(random.below(2 ** 32));
    this.#scenario = makeScenario(this);
    const schedule = new SeededRandom(random.below(2 ** 32));
    this.#faults = new FaultSchedule(schedule, this, faults);
    this.say(`seed ${seed}: ${JSON.stringify(this.settings)}`);
    this.say(`faults: ${this.#faults.kinds.join(', ')}`);
  }

  /** Runs it to its end. @throws Violation when a promise was broken; any other error that came up */
  async run(): Promise<RecipeReport> {
    const onUnhandled = (error: unknown): void => this.fail(error);
    process.on('unhandledRejection', onUnhandled);
    try {
      return await this.#run();
    } finally {
      process.off('unhandledRejection', onUnhandled);
    }
  }

  async #run(): Promise<RecipeReport> {
    const beganMs = this.nowMs();
    const { stormMs, faultGapMs, tickTimeMs } = this.settings;
    for (const member of this.members) this.startLater(member, 300);
    for (const client of this.clients) this.#startProcess(client);
    await this.runFor(4 * tickTimeMs);
    const untilMs = this.nowMs() + stormMs;
    while (this.nowMs() < untilMs) {
      await this.runFor(1 + this.random.below(faultGapMs));
      this.survive(() => this.#faults.breakSomething());
    }
    const healedAfterMs = await this.#heal();
    await this.#finish();
    return {
      seed: this.#seed,
      processes: this.clients.length,
      lives: this.clients.reduce((sum, { lives }) => sum + lives, 0),
      simulatedMs: this.nowMs() - beganMs,
      healedAfterMs,
      counts: this.#scenario.counts,
      faults: this.#faults.counts,
      hash: this.trace.hash,
    };
  }

  #startProcess(client: RecipeProcess): void {
    this.after(500 + this.random.below(1000), () => client.start());
  }

  async #heal(): Promise<number> {
    this.isCalm = true;
    this.#faults.end();
    for (const member of this.members) {
      member.doom(0, 'kill');
      this.startLater(member, 1000);
    }
    this.say('from now on nothing breaks');
    this.#scenario.onCalm();
    const isServed = (): boolean => this.#scenario.isServed;
    const withinMs = healingTicksMax * this.tickTimeMs;
    return this.runUntil(isServed, withinMs, 'everybody is served', () => this.#scenario.waiting);
  }

  /** Lets the processes finish and sessions of the dead expire; then nothing may be missing or left behind. */
  async #finish(): Promise<void> {
    this.#scenario.isEnding = true;
    this.say('nothing more is begun');
    // A member that comes back speaks for the sessions that it served: those of the dead last longer by that.
    const isFinished = (): boolean => {
      return this.#scenario.isFinished && this.members.every((member) => member.isServing);
    };
    const withinMs = healingTicksMax * this.tickTimeMs;
    await this.runUntil(isFinished, withinMs, 'everybody finishes', () => this.#scenario.waiting);
    await this.runFor(12 * this.tickTimeMs);
    this.#scenario.checkEnd();
  }
}

/** How long it may take until everybody is served, ticks. */
const healingTicksMax = 100;

const faults: Readonly<Record<string, Fault>> = {
  ...networkFaults,
  crash: processFaults.crash as Fault,
  'crash in the middle': processFaults['crash in the middle'] as Fault,
  'leader crash': processFaults['leader crash'] as Fault,
  blackout: processFaults.blackout as Fault,
  pause: processFaults.pause as Fault,
  snapshot: processFaults.snapshot as Fault,
  'client pause': processFaults['client pause'] as Fault,
  'client crash': processFaults['client crash'] as Fault,
  'client ends its session': (host, random) => {
    const client = host.clients[random.below(host.clients.length)] as RecipeProcess | undefined;
    host.say(`${client?.name} ends its session`);
    client?.endSession();
    return true;
  },
};

/** Draws what the ensemble is like: small and quick, so that much happens in little time. */
function drawRecipeSettings(random: SeededRandom): EnsembleSettings {
  return {
    voters: 3,
    firstId: 1,
    ...plainRoles,
    containerCheckMs: 1e9,
    maxNeverUsedMs: 0,
    spares: 0,
    clients: 3 + random.below(4),
    tickTimeMs: 500,
    latencyMs: [random.below(3), 3 + random.below(8)],
    systemBytesMax: 100_000,
    diskLatencyMs: random.below(3) / 2,
    snapCount: 50 + random.below(400),
    commitLogCount: random.percent(50) ? 5 + random.below(50) : 500,
    snapshotSizeFactor: random.percent(50) ? 0.33 : 1000,
    evenSendSnapshots: random.percent(20),
    logGroupBytesMax: 64 * 1024,
    preAllocSizeKb: 4,
    closeSessionTxnEnabled: random.percent(80),
    stormMs: 8000 + random.below(12_000),
    faultGapMs: 300 + random.below(3000),
    epochTransactionsMax: 0xffff0000,
    thinkMs: 100 + random.below(400),
  };
}
