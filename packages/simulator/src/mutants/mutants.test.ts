import assert from 'node:assert/strict';
import test from 'node:test';
import { mutants } from './mutants.ts';
import { MutationRun } from './mutation-run.ts';

/** Caught by one of their first seeds; `npm run simulate:mutants` runs all of them. */
const quick = [
  'fsync-left-out',
  'commit-on-minority',
  'reads-overtake-writes',
  'client-forgets-watches',
];

test('deliberate faults have names of their own, and are enough', () => {
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length);
  assert.ok(mutants.length >= 25);
});

test('every deliberate fault has its place in the compiled packages', () => {
  const run = new MutationRun();
  try {
    for (const mutant of mutants) assert.equal(run.placesOf(mutant), 1, mutant.name);
  } finally {
    run.close();
  }
});

test('the simulation notices deliberate faults', () => {
  const run = new MutationRun();
  try {
    for (const name of quick) {
      const mutant = mutants.find((each) => each.name === name);
      assert.ok(mutant !== undefined, name);
      assert.notEqual(run.run(mutant, 15).seeds, null, name);
    }
  } finally {
    run.close();
  }
});
