import type { TestContext } from 'node:test';
import {
  type ComparisonOptions,
  compareServers,
  type Disagreement,
} from './differential/comparison.ts';
import { knownDifferences } from './differential/known-differences.ts';
import { shrink } from './differential/shrink.ts';
import { describeStep } from './differential/step.ts';
import { peerTest } from './support/peers.ts';
import { defaultTarget } from './support/server-under-test.ts';

/*
 * The same random requests go to a Java server and to the server under test, in lockstep, and every reply, Stat, error,
 * zxid and watch event must be equal. DIFFERENTIAL_REQUESTS sets how many (100,000), DIFFERENTIAL_SEED where to start.
 * With PEER_TARGET=java a second Java server takes the place of Meerkat, and nothing at all may differ.
 */
const requestCount = Number(process.env.DIFFERENTIAL_REQUESTS ?? 100_000);
const firstSeed = Number(process.env.DIFFERENTIAL_SEED ?? 20_260_101);

/** Nothing that is decided by a clock may happen during a run. */
const systemProperties = {
  'zookeeper.forceSync': 'no',
  'zookeeper.extendedTypesEnabled': 'true',
  'znode.container.checkIntervalMs': 3_600_000,
  'zookeeper.DigestAuthenticationProvider.superDigest': 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=',
};
const config = { maxSessionTimeout: 600_000 };

/** The rounds of a run; `share` of the requests each. */
const rounds = [
  { name: 'pipelined', share: 0.4, batchMax: 12, quotas: false, systemProperties },
  {
    name: 'one at a time, quotas counted',
    share: 0.2,
    batchMax: 1,
    quotas: true,
    systemProperties,
  },
  {
    name: 'one at a time, quotas enforced',
    share: 0.2,
    batchMax: 1,
    quotas: true,
    systemProperties: { ...systemProperties, 'zookeeper.enforceQuota': 'true' },
  },
  {
    name: 'without extended types and digests',
    share: 0.1,
    batchMax: 6,
    quotas: false,
    systemProperties: {
      ...systemProperties,
      'zookeeper.extendedTypesEnabled': 'false',
      'zookeeper.digest.enabled': 'false',
    },
  },
  {
    name: 'without ACLs',
    share: 0.1,
    batchMax: 6,
    quotas: true,
    systemProperties: { ...systemProperties, 'zookeeper.skipACL': 'yes' },
  },
] as const;

for (const [index, round] of rounds.entries()) {
  peerTest(
    `the same requests have the same answers: ${round.name}`,
    ['java', 'zookeeper.jar'],
    async (context) => {
      const options: ComparisonOptions = {
        seed: firstSeed + index,
        sessionCount: 5,
        batchMax: round.batchMax,
        quotas: round.quotas,
        superUser: true,
        subject: defaultTarget,
        differences: defaultTarget === 'java' ? [] : knownDifferences,
        server: { config, systemProperties: round.systemProperties },
        requestCount: Math.ceil(requestCount * round.share),
      };
      await compareAndReport(context, options);
    },
    { timeoutMs: 1_800_000 },
  );
}

async function compareAndReport(context: TestContext, options: ComparisonOptions): Promise<void> {
  const result = await compareServers(options);
  context.diagnostic(
    `seed ${options.seed}: ${result.requestCount} requests in ${result.stepCount} steps, ${result.eventCount} watch events`,
  );
  const kinds = [...result.replies].map(([key, count]) => `${key}: ${count}`);
  kinds.sort((one, other) => one.localeCompare(other));
  context.diagnostic(`replies by opcode/error: ${kinds.join(', ')}`);
  if (result.disagreement === undefined) return;
  const shortest: Disagreement = await shrink(options, result.disagreement);
  const steps = shortest.steps.map((step, number) => `  ${number}. ${describeStep(step)}`);
  throw new Error(`The servers disagree with DIFFERENTIAL_SEED=${firstSeed} (round seed ${options.seed}): ${result.disagreement.message}

The shortest run found that shows it, ${steps.length} steps:
${steps.slice(-60).join('\n')}
${shortest.message}`);
}
