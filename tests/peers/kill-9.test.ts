import type { TestContext } from 'node:test';
import { Writer } from './kill-9/writer.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { SeededRandom } from './support/seeded-random.ts';
import { defaultTarget, withServer } from './support/server-under-test.ts';

/*
 * The server is killed with SIGKILL while several sessions write, started again on the same directory, and must show
 * every acknowledged write, no impossible one, and the same sessions. KILL_9_COUNT sets how often (50), KILL_9_SEED when.
 */
const killCount = Number(process.env.KILL_9_COUNT ?? 50);
const seed = Number(process.env.KILL_9_SEED ?? 9);
const writerCount = 6;
const peers: readonly PeerName[] = defaultTarget === 'java' ? ['java', 'zookeeper.jar'] : [];

peerTest(
  `no acknowledged write is lost when the server is killed ${killCount} times under load`,
  peers,
  killAgainAndAgain,
  { timeoutMs: 900_000 },
);

async function killAgainAndAgain(context: TestContext): Promise<void> {
  const random = new SeededRandom(seed);
  // Snapshots and new log files come often, so that kills hit them too.
  await withServer({ config: { snapCount: 400 } }, async (server) => {
    const writers = Array.from({ length: writerCount }, (_, index) => new Writer(index));
    for (const writer of writers) await writer.begin(server.port);
    let total = 0;
    let zxid = 0;
    for (let kill = 1; kill <= killCount; kill++) {
      let left = 20 + random.below(600);
      let killed: Promise<void> | undefined;
      const writing = writers.map((writer) =>
        writer.write(() => {
          total++;
          if (--left === 0) killed = server.kill();
        }),
      );
      await Promise.all(writing);
      await killed;
      await server.restart();
      for (const writer of writers) {
        await writer.resume(server.port).catch((error: unknown) => {
          throw new Error(`After kill ${kill} of KILL_9_SEED=${seed}: ${String(error)}`, {
            cause: error,
          });
        });
        zxid = Math.max(zxid, writer.zxid);
      }
    }
    context.diagnostic(
      `${killCount} kills, ${total} acknowledged writes, last zxid 0x${zxid.toString(16)}`,
    );
  });
}
