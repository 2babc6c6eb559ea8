import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type ProgramResult, runProgram } from './support/child-processes.ts';
import { runnersPath } from './support/paths.ts';
import { peerTest } from './support/peers.ts';

/* The test kit in other runners than node:test: real ones run `tests/runners/kit.mjs`. */

peerTest('the test kit works in Vitest', ['vitest'], async () => {
  assertPassed(await run('vitest/vitest.mjs', ['run', '--root', runnersPath, '--reporter=json']));
});

peerTest('the test kit works in Jest', ['jest'], async () => {
  const modules = { NODE_OPTIONS: '--experimental-vm-modules' };
  const config = ['--config', join(runnersPath, 'jest.config.json')];
  assertPassed(await run('jest/bin/jest.js', [...config, '--json'], modules));
});

function run(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<ProgramResult> {
  const path = join(runnersPath, 'node_modules', program);
  return runProgram(process.execPath, [path, ...args], { cwd: runnersPath, env });
}

/** Both runners sum up alike. */
function assertPassed({ code, stdout, stderr }: ProgramResult): void {
  assert.equal(code, 0, `${stdout}${stderr}`);
  const { numPassedTests, numTotalTests } = JSON.parse(stdout) as Record<string, number>;
  assert.deepEqual([numPassedTests, numTotalTests], [2, 2]);
}
