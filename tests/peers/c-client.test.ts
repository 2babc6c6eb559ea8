import { join } from 'node:path';
import { assertChecks } from './support/checks.ts';
import { runProgram, runProgramOk } from './support/child-processes.ts';
import { programsDirectory, temporaryDirectory } from './support/paths.ts';
import { peerTest } from './support/peers.ts';
import { withServer } from './support/server-under-test.ts';

/* ZooKeeper's C client, libzookeeper_mt. */

peerTest('the C client works', ['libzookeeper_mt'], async () => {
  const program = join(temporaryDirectory('c-client'), 'c_client');
  const source = join(programsDirectory, 'c_client.c');
  await runProgramOk('gcc', [
    '-O1',
    '-Wall',
    '-DTHREADED',
    '-o',
    program,
    source,
    '-lzookeeper_mt',
    '-lpthread',
  ]);
  const systemProperties = { 'zookeeper.extendedTypesEnabled': 'true' };
  await withServer({ systemProperties }, async (server) => {
    const result = await runProgram(program, [server.connectString]);
    assertChecks(result, [
      'async',
      'pipeline',
      'multi',
      'watches',
      'acl',
      'ttl and container',
      'session',
    ]);
  });
});
