import { assertChecks } from './support/checks.ts';
import { runProgram } from './support/child-processes.ts';
import { javaArguments } from './support/java-programs.ts';
import { peerTest } from './support/peers.ts';
import { withServer } from './support/server-under-test.ts';

/* Curator on the Java client: its recipes, two clients on one server. */

peerTest(
  'Curator and its recipes work',
  ['java', 'javac', 'zookeeper.jar', 'curator'],
  async () => {
    const args = await javaArguments('CuratorRecipes', 'curator');
    const systemProperties = { 'zookeeper.extendedTypesEnabled': 'true' };
    await withServer({ systemProperties }, async (server) => {
      const result = await runProgram('java', [...args, server.connectString]);
      assertChecks(result, [
        'nodes',
        'transactions',
        'mutex',
        'readWriteLock',
        'semaphore',
        'leaderLatch',
        'leaderSelector',
        'queue',
        'cache',
        'persistentNode',
        'persistentTtlNode',
        'persistentWatcher',
        'barriers',
        'sharedCount',
        'atomicLong',
        'groupMember',
        'expiry',
      ]);
    });
  },
);
