import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutant.ts';

/** What became of a mutant. */
export interface MutantFate {
  /** Seeds that it took to catch it; null when none of them did. */
  readonly seeds: number | null;
  /** Whether anything caught it: a seed, or else one of the named regressions. */
  readonly isCaught: boolean;
  /** What the simulation said about it. */
  readonly verdict: string;
}

/**
 * A copy of the compiled packages to do harm to. Owns a temporary folder; the packages themselves are never touched.
 */
export class MutationRun {
  readonly #folder: string;

  constructor() {
    const packages = fileURLToPath(new URL('../../../', import.meta.url));
    this.#folder = mkdtempSync(join(tmpdir(), 'meerkat-mutants-'));
    for (const name of ['protocol', 'engine', 'client', 'simulator']) {
      const target = this.#packageFolder(name);
      mkdirSync(target, { recursive: true });
      cpSync(join(packages, name, 'package.json'), join(target, 'package.json'));
      const dist = join(packages, name, 'dist');
      cpSync(dist, join(target, 'dist'), { recursive: true, filter: isNeeded });
    }
  }

  /**
   * Runs seeds against one mutant until one of them fails, and the scripts when none does.
   *
   * @param seedsMax 0: the scripts alone
   * @throws Error when the place that it changes is not there, or more than once
   */
  async run(mutant: Mutant, seedsMax: number, from = 1): Promise<MutantFate> {
    const path = this.#pathOf(mutant);
    const source = readFileSync(path, 'utf8');
    const places = this.placesOf(mutant);
    if (places !== 1) {
      throw new Error(
        `Cannot make mutant ${mutant.name}: current value is ${places} places like it in ${mutant.file}`,
      );
    }
    writeFileSync(
      path,
      source.replace(mutant.find, () => mutant.replace),
    );
    try {
      return await this.#simulate(mutant.recipe, seedsMax, from);
    } finally {
      writeFileSync(path, source);
    }
  }

  /** How often the place that a mutant changes is there. */
  placesOf(mutant: Mutant): number {
    return readFileSync(this.#pathOf(mutant), 'utf8').split(mutant.find).length - 1;
  }

  /** Removes the copy. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #simulate(recipe: string | undefined, seedsMax: number, from: number): Promise<MutantFate> {
    if (seedsMax === 0) return this.#runRegressions();
    const main = join(this.#packageFolder('simulator'), 'dist/ensemble/simulate.js');
    const limits = [
      '--seeds',
      String(seedsMax),
      '--from',
      String(from),
      '--until-failure',
      '--jobs',
      '1',
    ];
    if (recipe !== undefined) limits.push('--recipe', recipe);
    const { stdout, status } = await runNode([main, ...limits]);
    const failure = /seed (\d+)(?: \(.*?\))? fails: (.*)/.exec(stdout);
    if (failure !== null) {
      const seeds = Number(failure[1]) - from + 1;
      return { seeds, isCaught: true, verdict: failure[2] as string };
    }
    if (status !== 0) return { seeds: 1, isCaught: true, verdict: `the run ended with ${status}` };
    return recipe === undefined ? this.#runRegressions() : unnoticed;
  }

  /** What no seed has met may be what a script is about. */
  async #runRegressions(): Promise<MutantFate> {
    const folder = join(this.#packageFolder('simulator'), 'dist/regressions');
    const files = readdirSync(folder).filter((name) => name.endsWith('.test.js'));
    const paths = files.map((name) => join(folder, name));
    const { stdout } = await runNode(['--test', '--test-reporter=tap', ...paths]);
    const failed = /^not ok \d+ - (.*)$/m.exec(stdout);
    if (failed === null) return unnoticed;
    return { seeds: null, isCaught: true, verdict: `the script of ${failed[1]}` };
  }

  #pathOf(mutant: Mutant): string {
    return join(this.#packageFolder(mutant.package), 'dist', mutant.file);
  }

  #packageFolder(name: string): string {
    return join(this.#folder, 'node_modules', '@meerkat', name);
  }
}

/** What a run of the compiled packages reads; not types, maps, and the tests but the scripts. */
function isNeeded(path: string): boolean {
  return (
    !/\.(map|d\.ts|tsbuildinfo)$/.test(path) && !/dist\/(?!regressions).*\.test\.js$/.test(path)
  );
}

/** Runs Node to its end. */
function runNode(args: readonly string[]): Promise<{ stdout: string; status: number | null }> {
  // Set in a test run, where the tests of another process would report to ours.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ stdout, status }));
  });
}

const unnoticed: MutantFate = { seeds: null, isCaught: false, verdict: 'nothing was noticed' };
