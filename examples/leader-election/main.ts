import { connect, NoNodeError, type ZooKeeper } from '@meerkat/client';
import { type Held, LeaderLatch } from '@meerkat/client/recipes';
import { expect, withZooKeeper } from '../support/zookeeper.ts';

/* Three candidates for a job that only one may run at a time. Each leads for a while and dies; the next goes on. */

const runsOfEach = 3;

interface Run {
  readonly by: string;
  readonly token: bigint;
}

/** The job: its result goes to ZooKeeper together with a check that we still lead. */
async function run(zk: ZooKeeper, path: string, by: string, leadership: Held): Promise<Run> {
  await zk.multi([leadership.check, { op: 'setData', path, data: `run by ${by}` }]);
  return { by, token: leadership.token };
}

/** A process: it waits for its turn, runs the job some times, and dies without a word. */
async function candidate(
  connectString: string,
  root: string,
  id: string,
  runs: Run[],
): Promise<Held | null> {
  const zk = await connect(connectString);
  const latch = new LeaderLatch(zk, `${root}/election`, { id });
  for await (const { leadership } of latch.changes()) {
    if (leadership === null) continue;
    console.log(`${id} leads, token ${leadership.token}`);
    for (let count = 0; count < runsOfEach; count++) {
      runs.push(await run(zk, `${root}/last-run`, id, leadership));
      console.log(`  ${id} has run the job`);
    }
    await zk.close();
    return leadership;
  }
  return null;
}

await withZooKeeper(async (connectString, root) => {
  await using zk = await connect(connectString);
  await zk.create(root);
  await zk.create(`${root}/last-run`);
  const runs: Run[] = [];
  const names = ['ada', 'bob', 'cem'];
  const terms = await Promise.all(names.map((id) => candidate(connectString, root, id, runs)));

  const order = runs.map(({ by }) => by).join(' ');
  expect(runs.length === names.length * runsOfEach, 'every candidate has led');
  expect(new Set(order.match(/(\w+)( \1)*/g)).size === names.length, 'one led at a time');
  expect(
    runs.every(({ token }, index) => index === 0 || token >= (runs[index - 1]?.token ?? 0n)),
    'tokens grow from leader to leader',
  );

  // One who believes to lead, and does not: the check in the transaction knows.
  const [stale] = terms;
  if (stale === null || stale === undefined) return;
  const refusal = await run(zk, `${root}/last-run`, 'ada', stale).catch((error: unknown) => error);
  console.log(`a run after the end of a term: ${(refusal as Error).name}`);
  expect(refusal instanceof NoNodeError, 'a former leader is refused');
  expect(stale.lost.aborted, 'a former leader is told');
  console.log(`the job was run ${runs.length} times, by one at a time`);
});
