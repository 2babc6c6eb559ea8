import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionLossError, connect, type ZooKeeper } from '@meerkat/client';
import type { LoadClient } from '../peers/support/load-client.ts';
import type { SeededRandom } from '../peers/support/seeded-random.ts';

/**
 * A client that reads the writers' counters: after `sync` never less than what had been acknowledged before, never
 * more than what had been sent, and without it never less than what this session has seen before.
 */
export class Reader {
  readonly #zk: ZooKeeper;
  readonly #writers: readonly LoadClient[];
  readonly #random: SeededRandom;
  readonly #seen = new Map<LoadClient, number>();
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  /** Reads that were checked. */
  reads = 0;

  private constructor(zk: ZooKeeper, writers: readonly LoadClient[], random: SeededRandom) {
    this.#zk = zk;
    this.#writers = writers;
    this.#random = random;
  }

  static async begin(
    connectString: string,
    writers: readonly LoadClient[],
    random: SeededRandom,
  ): Promise<Reader> {
    const options = { sessionTimeoutMs: 60_000, retryDelayMs: 50, reconnectJitterMs: 50 };
    return new Reader(await connect(connectString, options), writers, random);
  }

  run(): void {
    this.#stopped = false;
    this.#running = this.#read();
    this.#running.catch(() => {});
  }

  /** Ends with the read that is under way; throws what a read has found to be wrong. */
  async pause(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async close(): Promise<void> {
    await this.#zk.close();
  }

  async #read(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#readOne(this.#random.pick(this.#writers), this.#random.oneIn(2));
      } catch (error) {
        if (!(error instanceof ConnectionLossError)) throw error;
        await this.#zk.connected({ timeoutMs: 120_000 });
      }
      await delay(this.#random.below(5));
    }
  }

  async #readOne(writer: LoadClient, isSynced: boolean): Promise<void> {
    const acknowledged = writer.counter;
    // In one go, so that both go to the same member.
    const sync = isSynced ? this.#zk.sync('/') : Promise.resolve();
    const read = this.#zk.getData(writer.counterPath);
    await Promise.all([sync, read]);
    const { stat } = await read;
    const seen = this.#seen.get(writer) ?? 0;
    const what = `${writer.counterPath}: read ${stat.version}`;
    assert.ok(stat.version >= seen, `${what} after ${seen} had been seen: back in time`);
    assert.ok(
      stat.version <= writer.counter + 1,
      `${what}, but ${writer.counter} was the last sent`,
    );
    if (isSynced) {
      assert.ok(
        stat.version >= acknowledged,
        `${what} after sync, but ${acknowledged} had been acknowledged before: stale`,
      );
    }
    this.#seen.set(writer, stat.version);
    this.reads++;
  }
}
