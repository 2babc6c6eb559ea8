import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SeededRandom as Draws, Workload } from '@meerkat/simulator';
import { SeededRandom } from '../peers/support/seeded-random.ts';
import { until } from '../peers/support/until.ts';
import { type ChaosEnsemble, tickTimeMs } from './chaos-ensemble.ts';
import type { Fault } from './fault.ts';
import { faults } from './faults.ts';
import { LogHarvest } from './log-harvest.ts';
import { readEverything } from './read-everything.ts';
import { type ClientsShared, RecordedClient } from './recorded-client.ts';
import type { Recorder } from './recorder.ts';
import { RoleReader } from './role-reader.ts';

/** What a run is made with. */
export interface ChaosOptions {
  readonly recorder: Recorder;
  /** Draws faults, pauses, and what clients ask for. */
  readonly seed: number;
  readonly clients: number;
  /** The longest pause of a client between two bursts of requests, ms. */
  readonly thinkMs: number;
  /** Tells of each fault. */
  readonly isVerbose: boolean;
}

/** What a run came to, but for what the checkers say. */
export interface ChaosReport {
  readonly faults: ReadonlyMap<string, number>;
  readonly operations: number;
  readonly unknown: number;
  readonly rounds: number;
  /** From the end of the last fault of a round until all members serve and all clients have written, ms, the longest. */
  readonly healedMsMax: number;
}

/** Faults between two checks. */
const faultsPerRound = 6;
/** How long everybody is well in each round, ms at least; sessions must not expire then. */
const calmMs = 4000;

/** One run: clients, faults and checks on an ensemble. Everything that happens goes into the history. */
export class ChaosRun {
  readonly #ensemble: ChaosEnsemble;
  readonly #recorder: Recorder;
  readonly #random: SeededRandom;
  readonly #harvest: LogHarvest;
  readonly #roles: RoleReader;
  readonly #counts = new Map<string, number>();
  readonly #startedMs = performance.now();
  readonly #shared: ClientsShared;
  readonly #clients: readonly RecordedClient[];
  readonly #isVerbose: boolean;
  #healedMsMax = 0;

  constructor(
    ensemble: ChaosEnsemble,
    { recorder, seed, clients, thinkMs, isVerbose }: ChaosOptions,
  ) {
    this.#isVerbose = isVerbose;
    this.#ensemble = ensemble;
    this.#recorder = recorder;
    this.#random = new SeededRandom(seed);
    this.#harvest = new LogHarvest(recorder);
    this.#roles = new RoleReader(recorder);
    const servers = ensemble.connectString;
    const paths = new Map<string, null>();
    this.#shared = { recorder, servers, paths, thinkMs, operations: 0, unknown: 0 };
    this.#clients = Array.from({ length: clients }, (_, index) => {
      const random = new Draws(this.#random.below(2 ** 31));
      return new RecordedClient(
        `c${index + 1}`,
        this.#shared,
        random,
        new Workload(random, 2 * tickTimeMs),
      );
    });
  }

  async run(durationMs: number): Promise<ChaosReport> {
    await this.#ensemble.start();
    let rounds = 0;
    do {
      rounds += 1;
      for (const client of this.#clients) client.run();
      await this.#untilProgress();
      for (let n = 0; n < faultsPerRound && this.#elapsedMs < durationMs; n++) {
        await this.#fault();
        await delay(this.#random.below(2500));
      }
      await this.#check();
      this.#say(
        `round ${rounds} is over: ${this.#shared.operations} operations, ${this.#shared.unknown} answers lost`,
      );
    } while (this.#elapsedMs < durationMs);
    await this.#silence();
    const { operations, unknown } = this.#shared;
    return { faults: this.#counts, operations, unknown, rounds, healedMsMax: this.#healedMsMax };
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  async #fault(): Promise<void> {
    const possible = faults.filter((fault) => fault.isPossible?.(this.#ensemble) ?? true);
    const fault = this.#random.weighted(possible.map((one) => [one.weight, one] as const));
    this.#recorder.note({ calm: false });
    const startMs = performance.now();
    this.#recorder.note({ fault: fault.name });
    const detail = await fault.run(this.#ensemble, this.#random, () => this.#read());
    this.#count(fault, detail);
    this.#recorder.note({
      fault: fault.name,
      detail,
      lastedMs: Math.round(performance.now() - startMs),
    });
    this.#startDead();
    this.#read();
  }

  #count({ name }: Fault, detail: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    if (this.#isVerbose) console.log(`${this.#clock()} ${name}: ${detail}`);
  }

  /** Reads what members have written since the last time, before it is purged. */
  #read(): void {
    for (const member of this.#ensemble.members) {
      this.#roles.read(member);
      this.#harvest.take(member.id, join(member.dataDirectory, 'version-2'));
    }
  }

  /** A member that ended by itself is started again; only those whose disk was full may have. */
  #startDead(): void {
    for (const member of this.#ensemble.members) {
      if (member.isRunning) continue;
      this.#recorder.note({ ended: member.id, ending: member.ending });
      if (!this.#ensemble.hadFullDisk.has(member.id)) {
        throw new Error(`${member.name} ended by itself (${member.ending})\n${member.logTail()}`);
      }
      member.start();
    }
    this.#ensemble.hadFullDisk.clear();
  }

  async #check(): Promise<void> {
    this.#ensemble.heal();
    this.#startDead();
    const startMs = performance.now();
    await this.#ensemble.untilServing();
    await this.#untilProgress();
    const healedMs = Math.round(performance.now() - startMs);
    this.#healedMsMax = Math.max(this.#healedMsMax, healedMs);
    this.#recorder.note({ healedMs });
    this.#recorder.note({ calm: true });
    await delay(calmMs + this.#random.below(4000));
    await Promise.all(this.#clients.map((client) => client.pause()));
    const zxid = await this.#ensemble.untilEqual();
    this.#read();
    for (const { id } of this.#ensemble.members) this.#recorder.note({ member: id, serves: zxid });
  }

  /** Every client has a write answered: the ensemble serves them all. */
  async #untilProgress(): Promise<void> {
    const before = this.#clients.map(({ acknowledged }) => acknowledged);
    await until(
      'every client has a write answered',
      () => this.#clients.every(({ acknowledged }, n) => acknowledged > (before[n] ?? 0)),
      { detail: () => this.#ensemble.logTails() },
    );
  }

  /** The end: everybody is told everything, and every member is read from end to end. */
  async #silence(): Promise<void> {
    for (const { connectString, id } of this.#ensemble.members) {
      await readEverything(connectString, `reader of member ${id}`, this.#recorder);
    }
    // Sessions that were left silently may still expire: until everybody has heard of the last of them.
    for (let [before, heard] = [-1, await this.#ensemble.untilEqual()]; before !== heard; ) {
      before = heard;
      await Promise.all(this.#clients.map((client) => client.hearAll()));
      heard = await this.#ensemble.untilEqual();
    }
    this.#recorder.note({ silent: true });
    await Promise.all(this.#clients.map((client) => client.close()));
    const zxid = await this.#ensemble.untilEqual();
    this.#read();
    for (const member of this.#ensemble.members) {
      this.#recorder.note({ member: member.id, serves: zxid });
      await this.#checkDigests(member);
    }
    this.#recorder.flush();
  }

  async #checkDigests(member: ChaosEnsemble['members'][number]): Promise<void> {
    const count = /^zk_digest_mismatches_count\t(\d+)/m.exec(await member.word('mntr'))?.[1];
    if (count !== '0') throw new Error(`${member.name}: zk_digest_mismatches_count is ${count}`);
  }

  #say(text: string): void {
    console.log(`${this.#clock()} ${text}`);
    this.#recorder.note({ text });
  }

  #clock(): string {
    return `${(this.#elapsedMs / 1000).toFixed(1)} s`;
  }
}
