import { connect } from '@meerkat/client';
import { TransactionCoordinator, TransactionParticipant } from '@meerkat/client/recipes';
import { expect, withZooKeeper } from '../support/zookeeper.ts';
import { Bank, type Transfer } from './bank.ts';

/* Two banks, and three transfers: one that works, one that is not covered, and one during which a bank crashes. */

await withZooKeeper(async (connectString, root) => {
  const path = `${root}/transfers`;
  const [north, south] = [new Bank('north', 100_00), new Bank('south', 50_00)];
  const show = (what: string): void => {
    console.log(`${what}: north ${north.cents / 100}, south ${south.cents / 100}`);
    expect(north.cents + south.cents === 150_00, 'no money is lost or made');
  };
  const begin = (transfer: Transfer): Promise<string> =>
    transfers.run({ participants: ['north', 'south'], payload: transfer, voteWithinMs: 20_000 });

  await using office = await connect(connectString);
  const transfers = new TransactionCoordinator(office, path);
  await using northClient = await connect(connectString);
  await using _northTakesPart = await TransactionParticipant.start(
    northClient,
    path,
    'north',
    north,
  );
  const southClient = await connect(connectString);
  const southTakesPart = await TransactionParticipant.start(southClient, path, 'south', south);

  const first = await begin({ from: 'north', to: 'south', cents: 30_00 });
  await Promise.all([north.untilFinished(1), south.untilFinished(1)]);
  show(`30 from north to south, ${first}`);
  expect(first === 'committed' && north.cents === 70_00, 'a transfer is made');

  const second = await begin({ from: 'south', to: 'north', cents: 1000_00 });
  await Promise.all([north.untilFinished(2), south.untilFinished(2)]);
  show(`1000 from south to north, ${second}`);
  expect(
    second === 'aborted' && north.cents === 70_00,
    'a transfer that is not covered is not made',
  );

  // South promises, and crashes before it hears the decision.
  await southTakesPart.close();
  const promised = new Promise<void>((resolve) => {
    const crashing = {
      prepare: south.prepare.bind(south),
      commit: () => {
        resolve();
        return new Promise<void>(() => {});
      },
      abort: south.abort.bind(south),
    };
    TransactionParticipant.start(southClient, path, 'south', crashing).catch(console.error);
  });
  const third = await begin({ from: 'south', to: 'north', cents: 20_00 });
  await promised;
  await southClient.close();
  await north.untilFinished(3);
  console.log(`20 from south to north, ${third}: south has crashed, and does not know`);
  expect(third === 'committed' && north.cents === 90_00, 'the other one is not held up');

  await using again = await connect(connectString);
  await using _southIsBack = await TransactionParticipant.start(again, path, 'south', south);
  await south.untilFinished(3);
  show('south is back');
  expect(south.cents === 60_00, 'what was decided is carried out after a crash');
});
