import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { turn } from '../testing/fake-ports.ts';
import { ModelServer } from '../testing/model-server.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { ConfigCenter } from './config-center.ts';
import { IdSequence } from './id-sequence.ts';
import { SnowflakeIds } from './snowflake-ids.ts';
import { TransactionCoordinator } from './transaction-coordinator.ts';
import { TransactionParticipant } from './transaction-participant.ts';

/*
 * Recipes of several processes while connections break, answers are lost and sessions end, by seed. `RECIPE_SEEDS` says how many (15).
 */

const count = Number(process.env.RECIPE_SEEDS ?? 15);
const seeds = Array.from({ length: count }, (_, index) => index + 1);

/** Small whole numbers, the same for the same seed. */
function drawsOf(seed: number): (bound: number) => number {
  let state = seed * 0x9e3779b9;
  return (bound) => {
    state = (Math.imul(state ^ (state >>> 15), state | 1) + 0x6d2b79f5) >>> 0;
    return (state >>> 8) % bound;
  };
}

const opcodes = [OpCode.multi, OpCode.create, OpCode.create2, OpCode.setData, OpCode.getData];

/** One misfortune of a client. */
async function harm(
  server: ModelServer,
  zk: ZooKeeper,
  draw: (n: number) => number,
): Promise<void> {
  const opcode = opcodes[draw(opcodes.length)] as number;
  switch (draw(4)) {
    case 0:
      await server.disconnect(zk);
      break;
    case 1:
      server.loseNext(opcode, 'request');
      break;
    case 2:
      server.loseNext(opcode, 'reply');
      break;
    default:
      await server.expire(zk);
  }
  await server.pass(draw(3000));
}

/** Lets so many turns go by: in the middle of something. */
async function turns(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await turn();
}

/** The outcome of a promise, with as much time as it takes to come. */
async function timeFor<T>(server: ModelServer, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => {});
  for (let waitedMs = 0; !isSettled; waitedMs += 1000) {
    assert.ok(waitedMs < 120_000, 'nothing comes of it');
    await server.pass(1000);
  }
  return await settled;
}

/** What a participant was told of each transaction; it outlives its processes. */
type Ledger = Map<string, string[]>;

/** A participant whose process is started again whenever its session ends. */
class Enduring {
  readonly ledger: Ledger = new Map();
  readonly #server: ModelServer;
  readonly #name: string;
  zk: ZooKeeper | null = null;
  #participant: TransactionParticipant | null = null;

  constructor(server: ModelServer, name: string) {
    this.#server = server;
    this.#name = name;
  }

  async keepAlive(draw: (n: number) => number): Promise<void> {
    if (this.#participant !== null && !this.#participant.failed.aborted) return;
    await timeFor(this.#server, this.#participant?.close() ?? Promise.resolve());
    this.zk = await timeFor(this.#server, this.#server.client());
    const tell = (id: string, what: string): void => {
      this.ledger.set(id, [...(this.ledger.get(id) ?? []), what]);
    };
    const starting = TransactionParticipant.start(this.zk, '/t', this.#name, {
      prepare: ({ id }) => {
        tell(id, 'prepare');
        return draw(5) !== 0;
      },
      commit: ({ id }) => tell(id, 'commit'),
      abort: ({ id }) => tell(id, 'abort'),
    });
    this.#participant = await timeFor(this.#server, starting);
  }

  async close(): Promise<void> {
    await timeFor(this.#server, this.#participant?.close() ?? Promise.resolve());
    await timeFor(this.#server, this.zk?.close() ?? Promise.resolve());
  }
}

for (const seed of seeds) {
  test(`transactions: one decision for all, seed ${seed}`, async () => {
    const server = new ModelServer();
    const draw = drawsOf(seed);
    const participants = ['a', 'b', 'c'].map((name) => new Enduring(server, name));
    const told: Promise<unknown>[] = [];
    for (let round = 0; round < 6; round++) {
      for (const one of participants) await one.keepAlive(draw);
      const boss = await timeFor(server, server.client());
      const request = { participants: ['a', 'b', 'c'], voteWithinMs: 1 + draw(4000) };
      told.push(new TransactionCoordinator(boss, '/t').run(request).catch(() => 'unknown'));
      const victims = [boss, ...participants.flatMap(({ zk }) => zk ?? [])];
      await turns(draw(40));
      await harm(server, victims[draw(victims.length)] as ZooKeeper, draw);
    }
    for (let rest = 0; rest < 6; rest++) {
      await server.pass(10_000);
      for (const one of participants) await one.keepAlive(draw);
    }
    await server.pass(10_000);
    const outcomes = await timeFor(server, Promise.all(told));
    const ids = new Set(participants.flatMap(({ ledger }) => [...ledger.keys()]));
    const decisions = [...ids].map((id) => {
      const ends = participants.map(({ ledger }) => ledger.get(id)?.at(-1));
      assert.equal(new Set(ends).size, 1, `${id}: ${ends.join()}`);
      for (const { ledger } of participants) {
        const all = ledger.get(id) ?? [];
        assert.equal(all.includes('commit') && all.includes('abort'), false, all.join());
      }
      return ends[0] === 'commit' ? 'committed' : 'aborted';
    });
    const committed = outcomes.filter((outcome) => outcome === 'committed').length;
    assert.ok(decisions.filter((one) => one === 'committed').length >= committed);
    await Promise.all(participants.map((one) => one.close()));
  });

  test(`ids and settings: each once, seed ${seed}`, async () => {
    const server = new ModelServer();
    const draw = drawsOf(seed + 1000);
    const given: bigint[] = [];
    const keep = (promise: Promise<bigint>): Promise<unknown> =>
      promise.then(
        (id) => given.push(id),
        () => {},
      );
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) => ({ value: value as number }),
      },
    } as const;
    let stored = 0;
    let unknown = 0;
    const asked: Promise<unknown>[] = [];
    for (let round = 0; round < 6; round++) {
      const connecting = Promise.all([server.client(), server.client()]);
      const clients = await timeFor(server, connecting);
      const [one, two] = clients;
      const starting = ConfigCenter.start(one, '/config', {
        keys: { limit: { schema, default: 0 } },
      });
      const makers = clients.map((zk) =>
        SnowflakeIds.start(zk, '/ids/made', {
          nowMs: () => Date.UTC(2026) + server.clock.nowMs() - draw(2000),
          aheadMs: 500,
        }),
      );
      const sequence = new IdSequence(two, '/ids/counted', { blockSize: 1 + draw(3) });
      const config = await timeFor(server, starting);
      for (let count = 0; count < 4; count++) {
        asked.push(
          ...makers.map((maker) => keep(maker.then((ids) => ids.next()))),
          keep(sequence.next()),
          config.set({ limit: round * 10 + count }).then(
            () => stored++,
            () => unknown++,
          ),
        );
      }
      await turns(draw(20));
      await harm(server, clients[draw(2)] as ZooKeeper, draw);
      await server.pass(1000);
      const closing = [config.close(), ...clients.map((zk) => zk.close())];
      await timeFor(server, Promise.all(closing));
    }
    await timeFor(server, Promise.all(asked));
    const counted = given.filter((id) => id < 1_000_000n);
    assert.equal(new Set(given).size, given.length);
    assert.ok(given.length > 20 && counted.length > 5, `${given.length} ids`);
    const { version } = server.tree.get('/config/limit');
    assert.ok(version + 1 >= stored && version + 1 <= stored + unknown, `${version} ${stored}`);
  });
}
