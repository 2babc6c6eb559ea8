import assert from 'node:assert/strict';
import type { ProgramResult } from './child-processes.ts';

/**
 * Reads the lines `{"check": name, "ok": true}` that the peers' programs print, one for each thing they have done.
 * Fails when the program ended badly or left out one of `expected`.
 */
export function assertChecks(result: ProgramResult, expected: readonly string[]): void {
  const passed = result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly check: string; readonly ok: boolean })
    .filter(({ ok }) => ok)
    .map(({ check }) => check);
  const ending = result.signal ?? `exit code ${result.code}`;
  const message = `ended with ${ending} after ${passed.join(', ') || 'nothing'}\n${result.stderr}`;
  assert.equal(result.code, 0, message);
  assert.deepEqual(passed, expected, message);
}
