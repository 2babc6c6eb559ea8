/**
 * The members and processes of an ensemble that is used through recipes, the network between them and the time that
 * they share. Recipes are made of promises: each event of a process is followed by all that its promises come to
 * before the next event happens. Owns that order, and with it that a seed repeats itself.
 */
import { setImmediate } from 'node:timers/promises';
import { DiskError, StorageError } from '@meerkat/engine';
import type { EndOfLife } from '../ensemble/ensemble-member.ts';
import { clientPort, EnsembleMember, ProcessDied } from '../ensemble/ensemble-member.ts';
import { dataDirOf, type EnsembleSettings, memberConfig } from '../ensemble/ensemble-settings.ts';
import type { FaultHost } from '../ensemble/fault.ts';
import { Trace } from '../ensemble/trace.ts';
import { Violation } from '../ensemble/violation.ts';
import { ManualClock } from '../manual-clock.ts';
import type { ProcessClock } from '../process-clock.ts';
import { SeededRandom } from '../seeded-random.ts';
import { PeerFabric } from '../simulated-peer-network.ts';
import { type Life, RecipeProcess, type RecipeProcessHost } from './recipe-process.ts';
import { ServerTruth } from './server-truth.ts';

export class RecipeWorld implements FaultHost, RecipeProcessHost {
  readonly clock: ManualClock = new ManualClock();
  readonly trace: Trace = new Trace(this.clock);
  readonly settings: EnsembleSettings;
  readonly members: readonly EnsembleMember[];
  readonly clients: readonly RecipeProcess[];
  readonly fabric: PeerFabric;
  readonly truth: ServerTruth;
  /** Nothing breaks any more, and members that are down come back at once. */
  isCalm = false;
  readonly #random: SeededRandom;
  #failure: { readonly error: unknown } | null = null;
  #isTouched = false;
  #ends: { readonly process: ProcessClock; readonly callback: () => void }[] = [];

  /** @param life what each process does */
  constructor(settings: EnsembleSettings, random: SeededRandom, life: Life) {
    this.settings = settings;
    this.#random = random;
    const { latencyMs, systemBytesMax, voters, clients } = settings;
    const network = new SeededRandom(random.below(2 ** 32));
    this.fabric = new PeerFabric(this.clock, network, { latencyMs, systemBytesMax });
    this.members = Array.from({ length: voters }, (_, i) => this.#newMember(i + 1));
    this.truth = new ServerTruth(this.members);
    this.clients = Array.from({ length: clients }, (_, i) => this.#newProcess(i + 1, life));
  }

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

  /** The run has failed: it ends before the next event. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  touch(): void {
    this.#isTouched = true;
  }

  atEndOfTurn(process: ProcessClock, callback: () => void): void {
    this.#ends.push({ process, callback });
  }

  /** Starts a member within a time. */
  startLater(member: EnsembleMember, withinMs: number): void {
    this.after(this.#random.below(withinMs), () => {
      if (member.isUp) return;
      this.say(`${member.id} starts, life ${member.lives + 1}`);
      this.survive(() => member.start());
    });
  }

  crash(member: EnsembleMember, how: EndOfLife): void {
    if (!member.isUp) return;
    this.say(`${member.id} ends by ${how}`);
    member.crash(how);
    this.#onDown(member);
  }

  /** Disks keep what they have promised here. */
  loseDisk(): boolean {
    return false;
  }

  stop(member: EnsembleMember): void {
    this.say(`${member.id} is told to stop`);
    member.stop(() => this.#onDown(member));
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
      const path = error instanceof DiskError ? error.path : '';
      const owner = this.members.find(({ id }) => path.startsWith(`${dataDirOf(id)}/`));
      if (owner === undefined || error instanceof StorageError) throw error;
      this.crash(owner, 'power');
    }
  }

  /** Lets time go by. @throws what failed meanwhile */
  async runFor(ms: number): Promise<void> {
    let isOver = false;
    this.clock.after(ms, () => {
      isOver = true;
    });
    while (!isOver) {
      this.#step();
      // Members make no promises: most events have nothing to wait for.
      if (this.#isTouched) await this.#settle();
      if (this.#failure !== null) throw this.#failure.error;
    }
  }

  /** Lets time go by until something is so. @throws Violation of `rule` when it is not so within `withinMs` */
  async runUntil(
    isSo: () => boolean,
    withinMs: number,
    rule: string,
    detail: () => string,
  ): Promise<number> {
    const beganMs = this.nowMs();
    while (!isSo()) {
      await this.runFor(50);
      const afterMs = this.nowMs() - beganMs;
      if (afterMs >= withinMs) throw new Violation(rule, `after ${afterMs} ms ${detail()}`);
    }
    return this.nowMs() - beganMs;
  }

  #step(): void {
    this.survive(() => {
      if (!this.clock.step()) throw new Error('virtual time stands still');
    });
  }

  /** Deals with all that the promises of an event come to. */
  async #settle(): Promise<void> {
    do {
      this.#isTouched = false;
      await setImmediate();
      const ends = this.#ends;
      this.#ends = [];
      for (const { process, callback } of ends) if (!process.isStopped) callback();
    } while (this.#ends.length > 0 || this.#isTouched);
  }

  #onDown(member: EnsembleMember): void {
    if (this.isCalm || this.#random.percent(85)) this.startLater(member, 4000);
  }

  #newMember(id: number): EnsembleMember {
    return new EnsembleMember(
      id,
      memberConfig(this.settings, id),
      {
        clock: this.clock,
        fabric: this.fabric,
        seed: this.#random.below(2 ** 32),
        disk: { latencyMs: this.settings.diskLatencyMs },
      },
      {
        onApplied: (member) => this.truth.onApplied(member),
        onRole: (member, role, { epoch }) => {
          this.say(`${member.id} is ${role} in epoch ${epoch}`);
          this.truth.onApplied(member);
        },
        onSessionExpired: (member, session) => this.say(`${member.id} lets ${session} expire`),
        onNotice: () => {},
        onEnded: (member, why, isDataLost) => {
          this.say(`${member.id} ends itself: ${why}`);
          if (isDataLost) throw new Violation('a disk that lost nothing is trusted', why);
          this.crash(member, 'power');
        },
      },
    );
  }

  #newProcess(number: number, life: Life): RecipeProcess {
    const { tickTimeMs, voters } = this.settings;
    const names = Array.from({ length: voters }, (_, i) => `host${i + 1}:${clientPort}`);
    const random = new SeededRandom(this.#random.below(2 ** 32));
    const sessionTimeoutMs = (): number => tickTimeMs * (2 + random.below(6));
    return new RecipeProcess(number, this, random, {
      servers: names.join(),
      sessionTimeoutMs,
      life,
    });
  }
}
