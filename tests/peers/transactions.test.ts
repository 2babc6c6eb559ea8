import assert from 'node:assert/strict';
import { connect, type ZooKeeper } from '@meerkat/client';
import {
  type Transaction,
  TransactionCoordinator,
  TransactionParticipant,
} from '@meerkat/client/recipes';
import { withClients } from './support/clients.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { defaultTarget, withServer } from './support/server-under-test.ts';

/* Two-phase transactions on both servers: money moves between accounts, and none is lost or made. */

const peers: PeerName[] = defaultTarget === 'java' ? ['java', 'zookeeper.jar'] : [];

interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

/** An account that survives its process. */
class Account {
  balance = 100;
  readonly name: string;
  readonly reserved = new Map<string, number>();
  readonly finished = new Set<string>();
  #tell: () => void = () => {};

  constructor(name: string) {
    this.name = name;
  }

  take(zk: ZooKeeper): Promise<TransactionParticipant> {
    return TransactionParticipant.start(zk, '/transfers', this.name, {
      prepare: (transaction) => this.#prepare(transaction),
      commit: ({ id }) => this.#finish(id, this.reserved.get(id) ?? 0),
      abort: ({ id }) => this.#finish(id, 0),
    });
  }

  async untilFinished(count: number): Promise<void> {
    while (this.finished.size < count) {
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
    }
  }

  #prepare({ id, payload }: Transaction): boolean {
    const { from, amount } = payload as Transfer;
    const change = from === this.name ? -amount : amount;
    const outgoing = [...this.reserved.values()].filter((reserved) => reserved < 0);
    const left = outgoing.reduce((sum, reserved) => sum + reserved, this.balance);
    if (left + change < 0) return false;
    this.reserved.set(id, change);
    return true;
  }

  #finish(id: string, change: number): void {
    if (this.finished.has(id)) return;
    this.balance += change;
    this.reserved.delete(id);
    this.finished.add(id);
    this.#tell();
  }
}

peerTest('two-phase transactions: all or nothing, many at a time', peers, () =>
  withServer({}, (server) =>
    withClients(server, 3, async (boss, ...clients) => {
      const accounts = [new Account('a'), new Account('b')];
      const taking = await Promise.all(
        accounts.map((account, index) => account.take(clients[index] as ZooKeeper)),
      );
      const transfers = new TransactionCoordinator(boss, '/transfers');
      const outcomes = await Promise.all(
        Array.from({ length: 30 }, (_, index) => {
          const [from, to] = index % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
          const payload = { from, to, amount: index * 10 };
          return transfers.run({ participants: ['a', 'b'], payload, voteWithinMs: 30_000 });
        }),
      );
      assert.ok(outcomes.includes('committed'));
      assert.ok(outcomes.includes('aborted'));
      await Promise.all(accounts.map((account) => account.untilFinished(30)));
      assert.equal((accounts[0]?.balance ?? 0) + (accounts[1]?.balance ?? 0), 200);
      assert.ok(accounts.every(({ balance, reserved }) => balance >= 0 && reserved.size === 0));
      await Promise.all(taking.map((one) => one.close()));
    }),
  ),
);

peerTest(
  'two-phase transactions: one crashes after its vote, and carries it out later',
  peers,
  () =>
    withServer({}, (server) =>
      withClients(server, 2, async (boss, steady) => {
        const [a, b] = [new Account('a'), new Account('b')];
        const crashing = await connect(server.connectString);
        const first = await a.take(crashing);
        const transfers = new TransactionCoordinator(boss, '/transfers');
        const payload = { from: 'a', to: 'b', amount: 40 };
        const running = transfers.run({ participants: ['a', 'b'], payload, voteWithinMs: 20_000 });
        for (;;) {
          const [id] = await boss.getChildren('/transfers').catch(() => []);
          const votes = id === undefined ? [] : await boss.getChildren(`/transfers/${id}`);
          if (votes.includes('yes-a')) break;
        }
        await crashing.close();
        await first.close();
        const second = await b.take(steady);
        assert.equal(await running, 'committed');
        await b.untilFinished(1);
        assert.deepEqual([a.balance, b.balance], [100, 140]);
        const again = await connect(server.connectString);
        const third = await a.take(again);
        await a.untilFinished(1);
        assert.deepEqual([a.balance, b.balance], [60, 140]);
        await third.close();
        await again.close();
        await second.close();
        assert.deepEqual(await boss.getChildren('/transfers'), []);
      }),
    ),
);
