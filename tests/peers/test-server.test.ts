import { join } from 'node:path';
import { assertChecks } from './support/checks.ts';
import { runProgram } from './support/child-processes.ts';
import { meerkatPath, programsDirectory } from './support/paths.ts';
import { peerTest, pythonPath } from './support/peers.ts';

/* The test server as a program in another language uses it: kazoo over TCP, control over HTTP. */

peerTest('a Python program tests against meerkat test-server', ['kazoo'], async () => {
  const program = join(programsDirectory, 'test_server_kazoo.py');
  const result = await runProgram(pythonPath, [program, process.execPath, meerkatPath]);
  assertChecks(result, ['connected', 'expired', 'failover', 'kept alive', 'refused', 'ended']);
});
