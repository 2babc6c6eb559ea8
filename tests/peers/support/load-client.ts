import assert from 'node:assert/strict';
import {
  BadVersionError,
  ConnectionLossError,
  type ConnectionState,
  connect,
  NodeExistsError,
  type WatchEvent,
  type ZooKeeper,
} from '@meerkat/client';
import { until } from './until.ts';

const root = '/load';

/** Makes what the load clients write under, and what their watches wait for. */
export async function prepareLoad(connectString: string): Promise<void> {
  const zk = await connect(connectString, { sessionTimeoutMs: 10_000 });
  await zk.create(root);
  await zk.create(`${root}/sentinel`, 'asleep');
  await zk.close();
}

/**
 * One session that writes, one write after the other, while members come and go, and knows afterwards what must be
 * there: every write that was acknowledged, its ephemeral as it was made, its session, and every watch that was set.
 * A write whose answer was lost with the connection is looked for and made again if it is missing.
 */
export class LoadClient {
  readonly #index: number;
  readonly #zk: ZooKeeper;
  readonly #sessionId: bigint;
  readonly #states: string[] = [];
  readonly #sentinelEvents: WatchEvent[] = [];
  readonly #recursiveEvents = new Set<string>();
  #ephemeralCzxid = 0n;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  /** Entries acknowledged: their names are `n-0`, `n-1`, …. */
  #acknowledged = 0;
  #counter = 0;
  #losses = 0;
  #slowestMs = 0;

  private constructor(index: number, zk: ZooKeeper) {
    this.#index = index;
    this.#zk = zk;
    this.#sessionId = zk.sessionId;
    zk.onState((state: ConnectionState) => this.#states.push(state.status));
  }

  /** Opens the session, makes its znodes and sets its watches. */
  static async begin(
    index: number,
    connectString: string,
    sessionTimeoutMs: number,
  ): Promise<LoadClient> {
    const zk = await connect(connectString, {
      sessionTimeoutMs,
      retryDelayMs: 50,
      reconnectJitterMs: 50,
    });
    const client = new LoadClient(index, zk);
    await zk.create(client.#own);
    await zk.create(client.#path('counter'), '0');
    await zk.create(client.#path('entries'));
    const { stat } = await zk.createWithStat(client.#path('ephemeral'), 'here', {
      mode: 'ephemeral',
    });
    client.#ephemeralCzxid = stat.czxid;
    await zk.exists(`${root}/sentinel`, { watch: (event) => client.#sentinelEvents.push(event) });
    await zk.addWatch(client.#path('entries'), ({ type, path }) => {
      if (type === 'nodeCreated') client.#recursiveEvents.add(path);
    });
    return client;
  }

  get acknowledged(): number {
    return this.#acknowledged + this.#counter;
  }

  /** The counter's value and version, as far as it was acknowledged. */
  get counter(): number {
    return this.#counter;
  }

  get counterPath(): string {
    return this.#path('counter');
  }

  /** How often a write's answer was lost. */
  get losses(): number {
    return this.#losses;
  }

  /** The longest time from a write to its acknowledgement, ms. */
  get slowestMs(): number {
    return this.#slowestMs;
  }

  /** Writes from now on. */
  run(): void {
    this.#stopped = false;
    this.#running = this.#write();
    // Whoever waits for `pause` hears of it.
    this.#running.catch(() => {});
  }

  /** Ends with the write that is under way. */
  async pause(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Checks everything, from any member that the client reaches; the sentinel must have been changed before. */
  async check(): Promise<void> {
    const zk = this.#zk;
    const who = `client ${this.#index}, states ${this.#states.join(' ')}`;
    await zk.sync('/');
    assert.equal(zk.sessionId, this.#sessionId, `the session is another: ${who}`);
    assert.ok(!this.#states.includes('expired'), `the session expired: ${who}`);
    const stat = await zk.exists(this.#path('ephemeral'));
    assert.equal(
      stat?.czxid,
      this.#ephemeralCzxid,
      `the ephemeral is not the one that was made: ${who}`,
    );
    assert.equal(stat?.ephemeralOwner, this.#sessionId, who);
    const entries = new Set(await zk.getChildren(this.#path('entries')));
    for (let n = 0; n < this.#acknowledged; n++) {
      assert.ok(
        entries.has(`n-${n}`),
        `acknowledged entry ${n} of ${this.#acknowledged} is lost: ${who}`,
      );
    }
    assert.ok(entries.size <= this.#acknowledged + 1, `entries that nobody wrote: ${who}`);
    const { data, stat: counter } = await zk.getData(this.#path('counter'));
    assert.equal(Buffer.from(data ?? []).toString(), String(this.#counter), `the counter: ${who}`);
    assert.equal(counter.version, this.#counter, `the version of the counter: ${who}`);
    await until(
      'the sentinel fires the watch of each client',
      () => this.#sentinelEvents.length > 0,
    );
    assert.equal(this.#sentinelEvents.length, 1, `the watch of the sentinel fired once: ${who}`);
    assert.equal(this.#sentinelEvents[0]?.type, 'nodeDataChanged', who);
    // Set again, for the next round of checks.
    this.#sentinelEvents.length = 0;
    await zk.exists(`${root}/sentinel`, { watch: (event) => this.#sentinelEvents.push(event) });
    await this.#checkRecursiveWatch();
  }

  /** A persistent watch tells of what happens while it stands; what happens meanwhile elsewhere it may miss. */
  async #checkRecursiveWatch(): Promise<void> {
    const n = this.#acknowledged;
    await this.#writeEntry();
    const path = `${this.#path('entries')}/n-${n}`;
    await until(`the persistent watch tells of ${path}`, () => this.#recursiveEvents.has(path));
  }

  async close(): Promise<void> {
    await this.#zk.close();
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      const startMs = performance.now();
      if ((this.#acknowledged + this.#counter) % 2 === 0) await this.#writeEntry();
      else await this.#writeCounter();
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startMs);
    }
  }

  async #writeEntry(): Promise<void> {
    const path = `${this.#path('entries')}/n-${this.#acknowledged}`;
    for (;;) {
      try {
        await this.#zk.create(path, path);
        break;
      } catch (error) {
        // After a lost answer only: then it is ours.
        if (error instanceof NodeExistsError) break;
        await this.#afterLoss(error);
      }
    }
    this.#acknowledged++;
  }

  async #writeCounter(): Promise<void> {
    const next = this.#counter + 1;
    let isUncertain = false;
    for (;;) {
      try {
        if (isUncertain) {
          await this.#zk.sync('/');
          const { stat } = await this.#zk.getData(this.#path('counter'));
          if (stat.version === next) break;
        }
        await this.#zk.setData(this.#path('counter'), String(next), { version: this.#counter });
        break;
      } catch (error) {
        // The write whose answer was lost may be done only now, ahead of the second one.
        if (isUncertain && error instanceof BadVersionError) continue;
        isUncertain = true;
        await this.#afterLoss(error);
      }
    }
    this.#counter = next;
  }

  async #afterLoss(error: unknown): Promise<void> {
    if (!(error instanceof ConnectionLossError)) throw error;
    this.#losses++;
    await this.#zk.connected({ timeoutMs: 120_000 });
  }

  get #own(): string {
    return `${root}/client-${this.#index}`;
  }

  #path(name: string): string {
    return `${this.#own}/${name}`;
  }
}

/** Several load clients as one. */
export class Load {
  readonly clients: readonly LoadClient[];
  #wakings = 0;

  private constructor(clients: readonly LoadClient[]) {
    this.clients = clients;
  }

  /** Prepares the tree and opens so many sessions. */
  static async begin(
    connectString: string,
    count: number,
    sessionTimeoutMs = 40_000,
  ): Promise<Load> {
    await prepareLoad(connectString);
    const indexes = Array.from({ length: count }, (_, index) => index);
    return new Load(
      await Promise.all(
        indexes.map((index) => LoadClient.begin(index, connectString, sessionTimeoutMs)),
      ),
    );
  }

  get acknowledged(): number {
    return this.clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  get losses(): number {
    return this.clients.reduce((sum, { losses }) => sum + losses, 0);
  }

  get slowestMs(): number {
    return Math.max(...this.clients.map(({ slowestMs }) => slowestMs));
  }

  run(): void {
    for (const client of this.clients) client.run();
  }

  /** Waits until each client has had another few writes acknowledged: the ensemble serves them all. */
  async untilProgress(writes = 5): Promise<void> {
    const before = this.clients.map(({ acknowledged }) => acknowledged);
    await until('every client has writes acknowledged', () =>
      this.clients.every(
        ({ acknowledged }, index) => acknowledged >= (before[index] ?? 0) + writes,
      ),
    );
  }

  /** Stops writing, wakes the sentinel, and checks every client. */
  async pauseAndCheck(connectString: string): Promise<void> {
    await Promise.all(this.clients.map((client) => client.pause()));
    const zk = await connect(connectString, { sessionTimeoutMs: 10_000 });
    await zk.setData('/load/sentinel', `awake ${++this.#wakings}`);
    await zk.close();
    for (const client of this.clients) await client.check();
  }

  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
  }
}
