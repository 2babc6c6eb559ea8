import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { outcome } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { TransactionCoordinator } from './transaction-coordinator.ts';
import { type TransactionHandlers, TransactionParticipant } from './transaction-participant.ts';

/** What a participant was told, and how it answers. It outlives its process. */
interface Ledger extends TransactionHandlers {
  readonly told: string[];
  answer: (id: string) => boolean | Promise<boolean>;
  failures: number;
}

function ledger(): Ledger {
  const told: string[] = [];
  const carryOut = (what: string): void => {
    if (made.failures-- > 0) throw new Error('disk full');
    told.push(what);
  };
  const made: Ledger = {
    told,
    answer: () => true,
    failures: 0,
    prepare: ({ id }) => {
      told.push('prepare');
      return made.answer(id);
    },
    commit: () => carryOut('commit'),
    abort: () => carryOut('abort'),
  };
  return made;
}

function take(zk: ZooKeeper, name: string, handlers: Ledger): Promise<TransactionParticipant> {
  return TransactionParticipant.start(zk, '/t', name, handlers);
}

const request = { participants: ['a', 'b'], payload: { amount: 7 }, voteWithinMs: 1000 };

interface Cast {
  readonly server: ModelServer;
  readonly coordinator: TransactionCoordinator;
  readonly boss: ZooKeeper;
  readonly clients: readonly [ZooKeeper, ZooKeeper];
  readonly ledgers: readonly [Ledger, Ledger];
}

async function cast(): Promise<Cast> {
  const server = new ModelServer();
  const boss = await server.client();
  const clients = [await server.client(), await server.client()] as const;
  const ledgers = [ledger(), ledger()] as const;
  return { server, boss, coordinator: new TransactionCoordinator(boss, '/t'), clients, ledgers };
}

test('all agree: committed by all, and nothing is left on the server', async () => {
  const { server, coordinator, clients, ledgers } = await cast();
  const seen: unknown[] = [];
  ledgers[0].answer = () => true;
  const commit = ledgers[0].commit;
  const first = await TransactionParticipant.start(clients[0], '/t', 'a', {
    ...ledgers[0],
    commit: (transaction) => {
      seen.push(transaction.payload, transaction.participants, transaction.token > 0n);
      return commit(transaction);
    },
  });
  const second = await take(clients[1], 'b', ledgers[1]);
  assert.equal(await coordinator.run(request), 'committed');
  await server.pass(0);
  assert.deepEqual(
    ledgers.map(({ told }) => told.join()),
    ['prepare,commit', 'prepare,commit'],
  );
  assert.deepEqual(seen, [{ amount: 7 }, ['a', 'b'], true]);
  assert.deepEqual(server.children('/t'), []);
  await first.close();
  await second.close();
});

for (const [what, answer] of [
  ['says no', () => false],
  [
    'fails',
    () => {
      throw new Error('no money');
    },
  ],
] as const) {
  test(`one ${what}: aborted by all`, async () => {
    const { server, coordinator, clients, ledgers } = await cast();
    ledgers[1].answer = answer;
    const taking = await Promise.all(
      ledgers.map((one, index) => take(clients[index] as ZooKeeper, 'ab'.charAt(index), one)),
    );
    assert.equal(await coordinator.run(request), 'aborted');
    await server.pass(0);
    assert.equal(ledgers[0].told.at(-1), 'abort');
    assert.deepEqual(ledgers[1].told, ['prepare', 'abort']);
    assert.deepEqual(server.children('/t'), []);
    await Promise.all(taking.map((one) => one.close()));
  });
}

test('one who is not there has not agreed; it hears of it when it comes', async () => {
  const { server, coordinator, clients, ledgers } = await cast();
  const first = await take(clients[0], 'a', ledgers[0]);
  const running = coordinator.run(request);
  await server.pass(999);
  assert.deepEqual(ledgers[0].told, ['prepare']);
  await server.pass(1);
  assert.equal(await running, 'aborted');
  await server.pass(0);
  assert.deepEqual(ledgers[0].told, ['prepare', 'abort']);
  assert.equal(server.children('/t').length, 1);
  const second = await take(clients[1], 'b', ledgers[1]);
  await server.pass(0);
  assert.deepEqual(ledgers[1].told, ['abort']);
  assert.deepEqual(server.children('/t'), []);
  await first.close();
  await second.close();
});

test('a coordinator that dies holds nobody up', async () => {
  const { server, boss, coordinator, clients, ledgers } = await cast();
  const first = await take(clients[0], 'a', ledgers[0]);
  const lost = outcome(coordinator.run(request));
  await server.pass(0);
  await server.expire(boss);
  await server.pass(500);
  assert.deepEqual(ledgers[0].told, ['prepare']);
  const second = await take(clients[1], 'b', ledgers[1]);
  await server.pass(0);
  assert.deepEqual(
    ledgers.map(({ told }) => told.at(-1)),
    ['commit', 'commit'],
  );
  assert.deepEqual(server.children('/t'), []);
  await server.pass(3000);
  assert.equal(await lost, 'SessionExpiredError');
  await first.close();
  await second.close();
});

test('a participant that dies after its vote carries the decision out when it is back', async () => {
  const { server, coordinator, clients, ledgers } = await cast();
  const first = await take(clients[0], 'a', ledgers[0]);
  const running = coordinator.run(request);
  await server.pass(0);
  await server.expire(clients[0]);
  await server.pass(500);
  const second = await take(clients[1], 'b', ledgers[1]);
  assert.equal(await running, 'committed');
  await server.pass(3000);
  assert.equal(first.failed.aborted, true);
  await first.close();
  assert.deepEqual(ledgers[0].told, ['prepare']);
  const [id = ''] = server.children('/t');
  assert.equal(await coordinator.outcomeOf(id), 'committed');
  const again = await take(await server.client(), 'a', ledgers[0]);
  await server.pass(0);
  assert.deepEqual(ledgers[0].told, ['prepare', 'commit']);
  assert.deepEqual(server.children('/t'), []);
  assert.equal(await coordinator.outcomeOf(id), 'aborted');
  await again.close();
  await second.close();
});

test('a decision that cannot be carried out is tried again', async () => {
  const { server, coordinator, clients, ledgers } = await cast();
  const errors: unknown[] = [];
  ledgers[0].failures = 2;
  const options = { onError: (error: unknown) => errors.push(error), retryAfterMs: 100 };
  const first = await TransactionParticipant.start(clients[0], '/t', 'a', ledgers[0], options);
  const second = await take(clients[1], 'b', ledgers[1]);
  assert.equal(await coordinator.run(request), 'committed');
  await server.pass(99);
  assert.deepEqual(ledgers[0].told, ['prepare']);
  await server.pass(200);
  assert.deepEqual(ledgers[0].told, ['prepare', 'commit']);
  assert.equal(errors.length, 2);
  assert.deepEqual(server.children('/t'), []);
  await first.close();
  await second.close();
});

test('one who gives up aborts, unless it is too late', async () => {
  const { server, coordinator, clients, ledgers } = await cast();
  const first = await take(clients[0], 'a', ledgers[0]);
  const given = outcome(coordinator.run(request, { timeoutMs: 100 }));
  await server.pass(100);
  assert.equal(await given, 'WaitTimeoutError');
  await server.pass(0);
  assert.deepEqual(ledgers[0].told, ['prepare', 'abort']);
  const second = await take(clients[1], 'b', ledgers[1]);
  await server.pass(0);
  assert.deepEqual(ledgers[1].told, ['abort']);
  for (const participants of [[], ['a', 'a'], ['a/b'], ['']]) {
    assert.throws(() => coordinator.run({ participants }), /the participants/);
  }
  await first.close();
  await second.close();
});

test('a participant deals with so many at a time', async () => {
  const { server, coordinator, clients, ledgers } = await cast();
  const options = { atOnceMax: 1 };
  const first = await TransactionParticipant.start(clients[0], '/t', 'a', ledgers[0], options);
  const slow = coordinator.run(request);
  await server.pass(0);
  const alone = coordinator.run({ participants: ['a'] });
  await server.pass(999);
  assert.deepEqual(ledgers[0].told, ['prepare']);
  await server.pass(1);
  assert.deepEqual([await slow, await alone], ['aborted', 'committed']);
  await server.pass(0);
  assert.deepEqual(ledgers[0].told, ['prepare', 'abort', 'prepare', 'commit']);
  await first.close();
});

test('what is no transaction is left alone', async () => {
  const { server, coordinator, clients, ledgers } = await cast();
  const first = await take(clients[0], 'a', ledgers[0]);
  await clients[1].create('/t', '').catch(() => {});
  for (const [name, data] of Object.entries({ x: 'no JSON', y: '{}', z: 'null' })) {
    await clients[1].create(`/t/${name}`, data);
  }
  await server.pass(0);
  assert.equal(await coordinator.run({ participants: ['a'] }), 'committed');
  await server.pass(0);
  assert.deepEqual(server.children('/t'), ['x', 'y', 'z']);
  assert.equal(first.failed.aborted, false);
  await first.close();
});

for (const loss of ['request', 'reply'] as const) {
  for (let nth = 0; nth < 8; nth++) {
    test(`the same decision for all though the ${loss} of transaction ${nth} was lost`, async () => {
      const { server, coordinator, clients, ledgers } = await cast();
      // A first transaction makes the parents.
      const taking = await Promise.all(
        ledgers.map((one, index) => take(clients[index] as ZooKeeper, 'ab'.charAt(index), one)),
      );
      await coordinator.run(request);
      await server.pass(0);
      for (const { told } of ledgers) told.length = 0;
      const before = server.handled.get(OpCode.multi) ?? 0;
      // The nth from now: those before it pass by.
      const handle = server.handle.bind(server);
      server.handle = (opcode, ...rest) => {
        const answer = handle(opcode, ...rest);
        const count = (server.handled.get(OpCode.multi) ?? 0) - before;
        if (opcode === OpCode.multi && count === nth) server.loseNext(OpCode.multi, loss);
        return answer;
      };
      if (nth === 0) server.loseNext(OpCode.multi, loss);
      const running = coordinator.run({ ...request, voteWithinMs: 60_000 });
      await server.pass(10_000);
      assert.equal(await running, 'committed');
      for (const { told } of ledgers) assert.deepEqual([...new Set(told)], ['prepare', 'commit']);
      await Promise.all(taking.map((one) => one.close()));
    });
  }
}

test('a coordinator that dies before it has heard of the outcome leaves nothing behind', async () => {
  const { server, boss, coordinator, clients, ledgers } = await cast();
  const first = await take(clients[0], 'a', ledgers[0]);
  const second = await take(clients[1], 'b', ledgers[1]);
  let agree = (): void => {};
  ledgers[0].answer = () => {
    return new Promise((resolve) => {
      agree = () => resolve(true);
    });
  };
  const lost = outcome(coordinator.run(request));
  await server.pass(0);
  server.isDown = true;
  await server.disconnect(boss);
  agree();
  await server.pass(100);
  assert.deepEqual(
    ledgers.map(({ told }) => told.at(-1)),
    ['commit', 'commit'],
  );
  assert.equal(server.children('/t').length, 1);
  await server.expire(boss);
  await server.pass(100);
  assert.deepEqual(server.children('/t'), []);
  server.isDown = false;
  await server.pass(3000);
  assert.equal(await lost, 'SessionExpiredError');
  await first.close();
  await second.close();
});

test('a transaction that is given up while it begins leaves nothing behind', async () => {
  const { server, boss, coordinator, clients, ledgers } = await cast();
  await boss.create('/t');
  const first = await take(clients[0], 'a', ledgers[0]);
  const second = await take(clients[1], 'b', ledgers[1]);
  server.loseNext(OpCode.multi, 'reply');
  const given = outcome(coordinator.run({ ...request, voteWithinMs: 100 }, { timeoutMs: 10 }));
  await server.pass(3000);
  assert.equal(await given, 'WaitTimeoutError');
  assert.deepEqual(server.children('/t'), []);
  await first.close();
  await second.close();
});

test('a record is removed though the answer to that was lost', async () => {
  const { server, coordinator, clients, ledgers } = await cast();
  const running = coordinator.run({ participants: ['b'], voteWithinMs: 10 });
  await server.pass(100);
  assert.equal(await running, 'aborted');
  server.loseNext(OpCode.multi, 'request');
  const participant = await take(clients[1], 'b', ledgers[1]);
  await server.pass(3000);
  assert.deepEqual(server.children('/t'), []);
  await participant.close();
});
