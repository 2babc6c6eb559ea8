import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect } from '@meerkat/client';
import { Mutex } from '@meerkat/client/recipes';
import { expect, withZooKeeper } from '../support/zookeeper.ts';

/* Twenty clerks, each a client of its own, sell from a stock of ten. */

const stockAtFirst = 10;
const clerks = 20;

/** The resource that the lock protects: something outside of ZooKeeper, that takes time to read and to write. */
class Warehouse {
  #left = stockAtFirst;
  #greatestToken = 0n;

  async read(): Promise<number> {
    await nextTurn();
    return this.#left;
  }

  /** Refuses who held the lock before somebody who has written already: the check that makes a token of use. */
  async write(left: number, token?: bigint): Promise<void> {
    await nextTurn();
    if (token !== undefined && token < this.#greatestToken) {
      throw new Error(`Cannot write with token ${token}: current value is ${this.#greatestToken}`);
    }
    this.#greatestToken = token ?? this.#greatestToken;
    this.#left = left;
  }
}

/** One sale: what is read may be old by the time it is written. */
async function sell(warehouse: Warehouse, token?: bigint): Promise<number> {
  const left = await warehouse.read();
  if (left === 0) return 0;
  await warehouse.write(left - 1, token);
  return 1;
}

await withZooKeeper(async (connectString, root) => {
  const clients = await Promise.all(Array.from({ length: clerks }, () => connect(connectString)));
  const path = `${root}/warehouse`;

  const carefree = new Warehouse();
  const oversold = await Promise.all(clients.map(() => sell(carefree)));
  const soldWithout = oversold.reduce((sum, one) => sum + one, 0);
  console.log(`without a lock: ${soldWithout} sold of ${stockAtFirst}`);
  expect(soldWithout > stockAtFirst, 'a stock is oversold without a lock');

  const careful = new Warehouse();
  const exact = await Promise.all(
    clients.map(async (zk) => {
      await using lock = await new Mutex(zk, path).acquire({ timeoutMs: 60_000 });
      return await sell(careful, lock.token);
    }),
  );
  const soldWith = exact.reduce((sum, one) => sum + one, 0);
  console.log(`with a lock:    ${soldWith} sold of ${stockAtFirst}`);
  expect(soldWith === stockAtFirst, 'a stock is sold exactly with a lock');

  // A clerk whose session ended while it was paused, and who has not noticed: the warehouse knows by the token.
  const guarded = new Warehouse();
  const [paused, next] = clients;
  if (paused === undefined || next === undefined) return;
  const stale = await new Mutex(paused, path).acquire();
  const left = await guarded.read();
  await paused.close();
  await using lock = await new Mutex(next, path).acquire({ timeoutMs: 60_000 });
  await sell(guarded, lock.token);
  const refusal = await guarded.write(left - 1, stale.token).then(
    () => null,
    (error: Error) => error,
  );
  console.log(`a late write:   ${refusal?.message ?? 'was taken'}`);
  expect(refusal !== null && stale.lost.aborted, 'a late write is refused');
  await lock.release();
  await Promise.all(clients.map((zk) => zk.close()));
});
