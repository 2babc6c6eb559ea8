import { demand } from '../ensemble/violation.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { RecipeProcess } from './recipe-process.ts';
import type { ServerTruth } from './server-truth.ts';

/** What a scenario knows of the world. */
export interface ScenarioHost {
  readonly random: SeededRandom;
  readonly truth: ServerTruth;
  readonly clients: readonly RecipeProcess[];
  /** Whether nothing breaks any more. */
  readonly isCalm: boolean;
  nowMs(): number;
  after(ms: number, action: () => void): void;
  say(text: string): void;
  fail(error: unknown): void;
}

/**
 * Processes that use one kind of recipe, and the checkers of what it guarantees. The checkers know what processes
 * were told and what the members' trees hold, and nothing of the recipe's insides.
 */
export abstract class RecipeScenario {
  readonly host: ScenarioHost;
  /** What the run counted, for the report. */
  readonly counts: Map<string, number> = new Map();
  /** Set at the end: processes finish what they are at and begin nothing more. */
  isEnding = false;
  /** Lives that have nothing more to do. */
  protected readonly idle: Set<string> = new Set();
  readonly #served = new Set<RecipeProcess>();

  constructor(host: ScenarioHost) {
    this.host = host;
  }

  /** What a process does in one life: until `isEnding`, or until its session ends. */
  abstract live(process: RecipeProcess): Promise<void>;

  /** Nothing breaks any more: from here on everybody must be served. */
  onCalm(): void {
    this.#served.clear();
  }

  /** Whether everybody got what it wanted since `onCalm`. */
  get isServed(): boolean {
    return this.host.clients.every((process) => this.#served.has(process));
  }

  /** Who waits, for messages. */
  get waiting(): string {
    const waiting = this.host.clients.filter((process) => !this.#served.has(process));
    return `${waiting.map(({ alias }) => alias).join()} wait`;
  }

  /** Whether nothing is under way any more, after `isEnding`. */
  get isFinished(): boolean {
    return this.host.clients.every((process) => this.idle.has(process.alias));
  }

  /** All is over and quiet: holds the end against the truth. */
  abstract checkEnd(): void;

  /** A process got what it wanted. */
  serve(process: RecipeProcess): void {
    this.#served.add(process);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  say(text: string): void {
    this.host.say(text);
  }

  /** @throws Violation of `rule` unless `holds`; the run fails even if the recipe swallows it */
  demand(holds: boolean, rule: string, detail: () => string): void {
    try {
      demand(holds, rule, detail);
    } catch (error) {
      this.host.fail(error);
      throw error;
    }
  }
}
