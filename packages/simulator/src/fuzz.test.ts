import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FuzzRun } from './testing/fuzz.ts';

// The whole run is `npm run fuzz`.
test('nothing that damaged frames do leaves the replica, or stays in it', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 1);
  const result = new FuzzRun(seed).run(50_000);
  assert.ok(result.transactions > 1000, 'some of them did something');
});
