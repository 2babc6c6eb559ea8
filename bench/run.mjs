// `npm run bench`: the numbers of this project, measured on this machine. `npm run bench -- --help`.
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { buildCommandWhenNeeded, installWhenNeeded } from '../tools/set-up.mjs';

/**
 * @typedef {object} BenchSettings
 * @property {string} data where the servers' directories are made: the disk that is measured
 * @property {number} rounds
 * @property {number} seconds
 * @property {number} warmUpSeconds
 * @property {number} connections
 * @property {number} sessions
 * @property {number} ephemerals of each session that expires
 * @property {number} znodes
 * @property {number} failovers
 * @property {string | undefined} generator
 * @property {'java' | 'meerkat' | undefined} only
 */

const usage = `npm run bench [-- [scenario...] [options]]

Scenarios (default: throughput):
  throughput  operations per second beside the Java server, in alternating rounds
  memory      a large tree: bytes per znode, a full collection, restart, reads during snapshots
  sessions    many sessions: bytes each, watches, all reconnecting, all expiring
  client      the client library beside the C client and npm's, locks, a tree cache
  ensemble    three members beside three Java members: operations per second, failover
  startup     from the start of node to the first answer
  all         all of these

Options:
  --rounds <n>         rounds of throughput (3)
  --seconds <s>        measured in each (8)
  --warm-up <s>        before that (3)
  --connections <n>    of the load (50)
  --generator <path>   load for throughput from this program, which takes zkload's arguments
  --only <server>      throughput of java or meerkat alone
  --data <directory>   where the servers keep their data (the system's folder for temporary files)
  --znodes <n>         of memory (1100000)
  --sessions <n>       of sessions (10000); each takes a descriptor in two processes: see ulimit -n
  --failovers <n>      how often the leader of an ensemble is killed (10)
  --ephemerals <n>     of each session that expires (1)

The load runs on the same machine, so leave it alone meanwhile. The Java server is Debian's (apt
install zookeeper libzookeeper-java), or the class path in ZOOKEEPER_CLASSPATH.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '8' },
    'warm-up': { type: 'string', default: '3' },
    connections: { type: 'string', default: '50' },
    generator: { type: 'string' },
    only: { type: 'string' },
    data: { type: 'string', default: tmpdir() },
    znodes: { type: 'string', default: '1100000' },
    sessions: { type: 'string', default: '10000' },
    ephemerals: { type: 'string', default: '1' },
    failovers: { type: 'string', default: '10' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  console.log(usage);
} else {
  installWhenNeeded();
  buildCommandWhenNeeded();
  await runScenarios(positionals.length === 0 ? ['throughput'] : positionals);
}

/** @param {string[]} names */
async function runScenarios(names) {
  // Imported only now: they need what was built.
  const { throughput } = await import('./throughput.mjs');
  const { memory } = await import('./memory.mjs');
  const { sessions } = await import('./sessions.mjs');
  const { startup } = await import('./startup.mjs');
  const { ensemble } = await import('./ensemble.mjs');
  const { client } = await import('./client.mjs');
  /** @type {Record<string, (settings: BenchSettings) => Promise<void>>} */
  const scenarios = { startup, throughput, memory, sessions, ensemble, client };
  const settings = readSettings();
  for (const name of names.includes('all') ? Object.keys(scenarios) : names) {
    const scenario = scenarios[name];
    if (scenario === undefined)
      throw new Error(`Cannot run "${name}": no such scenario\n\n${usage}`);
    await scenario(settings);
  }
}

/** @returns {BenchSettings} */
function readSettings() {
  const { only } = values;
  if (only !== undefined && only !== 'java' && only !== 'meerkat') {
    throw new Error(`Cannot use --only: current value is ${only}, and it must be java or meerkat`);
  }
  return {
    data: values.data,
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values['warm-up']),
    connections: Number(values.connections),
    sessions: Number(values.sessions),
    ephemerals: Number(values.ephemerals),
    failovers: Number(values.failovers),
    znodes: Number(values.znodes),
    generator: values.generator,
    only,
  };
}
