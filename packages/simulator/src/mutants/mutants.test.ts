import assert from 'node:assert/strict';
import test from 'node:test';
import { documentedSeeds } from './documented-seeds.ts';
import { runMutants } from './mutant-series.ts';
import { mutants } from './mutants.ts';
import { MutationRun } from './mutation-run.ts';

/** Caught by one of their first seeds; `MUTANTS=all` tries all of them, as `.ci/run` does. */
const quick = [
  'fsync-left-out',
  'commit-on-minority',
  'reads-overtake-writes',
  'client-forgets-watches',
  'cache-snapshot-early',
];
const wanted =
  process.env.MUTANTS === 'all' ? mutants : mutants.filter(({ name }) => quick.includes(name));

test('deliberate faults have names of their own, and are enough', () => {
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length);
  assert.ok(mutants.length >= 25);
  assert.ok(wanted.length >= quick.length);
});

test('every deliberate fault has its place in the compiled packages', () => {
  const run = new MutationRun();
  try {
    for (const mutant of mutants) assert.equal(run.placesOf(mutant), 1, mutant.name);
  } finally {
    run.close();
  }
});

test('docs/proof.md says of every deliberate fault how many seeds it takes', () => {
  assert.deepEqual([...documentedSeeds().keys()].sort(), mutants.map(({ name }) => name).sort());
});

test(`the simulation notices ${wanted.length} deliberate faults about as soon as docs/proof.md says`, async (t) => {
  const documented = documentedSeeds();
  const trials = wanted.map((mutant) => {
    const seeds = documented.get(mutant.name) ?? 0;
    return { mutant, seedsMax: seeds === 0 ? 0 : seeds * 2 + seedsMore };
  });
  const missed: string[] = [];
  const fates = await runMutants({ trials });
  for (const { mutant, seedsMax } of trials) {
    const fate = fates.get(mutant.name);
    const bySeed = typeof fate?.seeds === 'number';
    if (!(bySeed || (seedsMax === 0 && fate?.isCaught === true)))
      missed.push(`${mutant.name} by ${seedsMax} seeds: ${fate?.verdict}`);
  }
  t.diagnostic([...fates].map(([name, { seeds }]) => `${name} ${seeds ?? 'script'}`).join(', '));
  assert.deepEqual(missed, []);
});

/** A change of what seeds draw moves the seed that meets a fault. */
const seedsMore = 30;
