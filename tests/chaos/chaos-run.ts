import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Load } from '../peers/support/load-client.ts';
import { SeededRandom } from '../peers/support/seeded-random.ts';
import { assertSameTrees } from '../peers/support/trees.ts';
import type { ChaosEnsemble } from './chaos-ensemble.ts';
import { faults } from './faults.ts';
import { Reader } from './reader.ts';

/** What a run is made with. */
export interface ChaosOptions {
  /** The file in which it is written down what was done when. */
  readonly history: string;
  /** Draws faults and pauses. */
  readonly seed: number;
  readonly writers: number;
  readonly readers: number;
}

/** Faults between two checks. */
const faultsPerRound = 6;

/** One run: clients, faults and checks on an ensemble. */
export class ChaosRun {
  readonly #ensemble: ChaosEnsemble;
  readonly #options: ChaosOptions;
  readonly #random: SeededRandom;
  readonly #counts = new Map<string, number>();
  readonly #startedMs = performance.now();

  constructor(ensemble: ChaosEnsemble, options: ChaosOptions) {
    this.#ensemble = ensemble;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  async run(durationMs: number): Promise<void> {
    const ensemble = this.#ensemble;
    await ensemble.start();
    const { connectString } = ensemble;
    const load = await Load.begin(connectString, this.#options.writers, 60_000);
    const readers = await Promise.all(
      Array.from({ length: this.#options.readers }, (_, index) => {
        return Reader.begin(
          connectString,
          load.clients,
          new SeededRandom(this.#random.below(2 ** 31) + index),
        );
      }),
    );
    for (let round = 1; performance.now() - this.#startedMs < durationMs; round++) {
      load.run();
      for (const reader of readers) reader.run();
      await load.untilProgress();
      for (let n = 0; n < faultsPerRound; n++) {
        await this.#fault();
        await delay(this.#random.below(2500));
      }
      await this.#check(load, readers);
      const reads = readers.reduce((sum, reader) => sum + reader.reads, 0);
      this.#say(
        `round ${round} is well: ${load.acknowledged} writes acknowledged, ${load.losses} answers lost, ${reads} reads checked`,
      );
    }
    await load.close();
    await Promise.all(readers.map((reader) => reader.close()));
    const counts = [...this.#counts].map(([name, count]) => `${count} ${name}`).join(', ');
    this.#say(`all is well after ${counts}`);
  }

  async #fault(): Promise<void> {
    const fault = this.#random.weighted(faults.map((one) => [one.weight, one] as const));
    const startMs = performance.now();
    const detail = await fault.run(this.#ensemble, this.#random);
    this.#counts.set(fault.name, (this.#counts.get(fault.name) ?? 0) + 1);
    const lastedMs = Math.round(performance.now() - startMs);
    this.#record({ fault: fault.name, detail, lastedMs });
    this.#startDead();
  }

  /** A member that ended by itself is started again; that it may do so only for its disk is checked. */
  #startDead(): void {
    for (const member of this.#ensemble.members) {
      if (member.isRunning) continue;
      this.#record({ ended: member.id, ending: member.ending });
      const isForDisk = member.id === this.#ensemble.smallDiskMember;
      if (!isForDisk)
        throw new Error(`${member.name} ended by itself (${member.ending})\n${member.logTail()}`);
      member.start();
    }
  }

  async #check(load: Load, readers: readonly Reader[]): Promise<void> {
    this.#ensemble.heal();
    this.#startDead();
    const startMs = performance.now();
    await this.#ensemble.untilServing();
    await load.untilProgress();
    this.#record({ healedMs: Math.round(performance.now() - startMs) });
    for (const reader of readers) await reader.pause();
    await load.pauseAndCheck(this.#ensemble.connectString);
    await this.#ensemble.untilEqual();
    // Each member knows the others by ports of its own.
    const tree = await assertSameTrees(this.#ensemble, '/zookeeper/config');
    this.#record({ znodes: tree.length, acknowledged: load.acknowledged });
  }

  #say(text: string): void {
    console.log(`${this.#clock()} ${text}`);
    this.#record({ text });
  }

  #record(entry: object): void {
    appendFileSync(this.#options.history, `${JSON.stringify({ at: this.#clock(), ...entry })}\n`);
  }

  #clock(): string {
    return `${((performance.now() - this.#startedMs) / 1000).toFixed(1)} s`;
  }
}
