import { join } from 'node:path';
import { assertChecks } from './support/checks.ts';
import { runProgram } from './support/child-processes.ts';
import { programsDirectory } from './support/paths.ts';
import { peerTest, pythonPath } from './support/peers.ts';
import { withServer } from './support/server-under-test.ts';

/* Python's kazoo: its client and its recipes, two clients on one server. */

peerTest('kazoo and its recipes work', ['kazoo'], () =>
  withServer({}, async (server) => {
    const program = join(programsDirectory, 'kazoo_recipes.py');
    const result = await runProgram(pythonPath, [program, server.connectString]);
    assertChecks(result, [
      'nodes',
      'watches',
      'transactions',
      'access_control',
      'lock',
      'election',
      'party',
      'queues',
      'counter',
      'barrier',
      'watchers',
      'session',
      'four_letter_words',
    ]);
  }),
);
