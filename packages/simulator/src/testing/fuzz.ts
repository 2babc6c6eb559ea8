import assert from 'node:assert/strict';
import { type Limits, Purge } from '@meerkat/engine';
import { OpCode } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import { getChildren, readStrings, remove } from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';
import { SeededRandom } from '../seeded-random.ts';
import { HostileFrames } from './hostile-frames.ts';

/** What a run of damaged frames came to. */
export interface FuzzResult {
  readonly frames: number;
  readonly connections: number;
  readonly refused: number;
  readonly transactions: number;
  /**
   * Bytes in use after collections, on average over the second and the last quarter of the run; 0 without
   * `--expose-gc`. Buffers kept for the next burst make single values jump.
   */
  readonly memoryEarlyBytes: number;
  readonly memoryEndBytes: number;
}

/**
 * Sends `frameCount` frames, most of them damaged, through connections that come and go, to one server.
 * Throws when anything leaves the replica, or when something is left in it after everybody is gone.
 */
export class FuzzRun {
  readonly #random: SeededRandom;
  readonly #frames: HostileFrames;
  readonly #server: InProcessServer;
  #clients: ScriptedClient[] = [];
  #sent = 0;
  #connections = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#frames = new HostileFrames(this.#random);
    const txnLog = { ...new InProcessServer().config.txnLog, snapCount: 20_000 };
    this.#server = new InProcessServer({
      seed,
      disk: { latencyMs: seed % 3 },
      limits: seed % 2 === 0 ? narrowLimits : {},
      config: {
        txnLog,
        extendedTypesEnabled: true,
        enforceQuota: true,
        container: { checkIntervalMs: 5000, maxPerMinute: 10_000, maxNeverUsedIntervalMs: 10_000 },
      },
    }).start();
  }

  run(frameCount: number, onProgress: (frames: number) => void = () => {}): FuzzResult {
    const every = Math.max(1, Math.floor(frameCount / 20));
    const memoryBytes: number[] = [];
    for (let next = every; this.#sent < frameCount; ) {
      this.#act();
      if (this.#sent < next) continue;
      next += every;
      this.#tidyUp();
      onProgress(this.#sent);
      memoryBytes.push(memoryInUseBytes());
    }
    this.#tidyUp();
    this.#checkNothingIsLeft();
    const { replica } = this.#server;
    const result: FuzzResult = {
      frames: this.#sent,
      connections: this.#connections,
      refused: this.#server.notices.length,
      transactions: replica.state.lastProcessedZxid,
      memoryEarlyBytes: mean(memoryBytes.slice(5, 10)),
      memoryEndBytes: mean(memoryBytes.slice(-5)),
    };
    this.#checkRestart();
    return result;
  }

  #act(): void {
    const random = this.#random;
    if (this.#clients.length < 20 || random.percent(2)) this.#connect();
    const client = this.#clients[random.below(this.#clients.length)] as ScriptedClient;
    const choice = random.below(100);
    if (client.isClosed || choice < 2) this.#leave(client);
    else if (choice < 4) client.connection.setReading(random.below(2) === 0);
    else this.#sendChunk(client);
    if (random.percent(30)) this.#server.settle();
    if (random.percent(1)) this.#server.advance(random.below(3000));
    for (const each of this.#clients) each.received.length = 0;
  }

  #connect(): void {
    const random = this.#random;
    const client = new ScriptedClient(this.#server, pick(random, addresses));
    client.knowsEvents = false;
    this.#connections++;
    this.#clients.push(client);
    const former = this.#clients[random.below(this.#clients.length)]?.session;
    if (former?.sessionIdLo && random.percent(20)) client.sendHandshake({ session: former });
    else if (random.percent(70)) client.sendBytes(this.#frames.nextHandshake());
    else client.sendBytes(this.#frames.nextHostileHandshake());
    this.#sent++;
  }

  #leave(client: ScriptedClient): void {
    client.disconnect();
    this.#clients = this.#clients.filter((each) => each !== client);
  }

  #sendChunk(client: ScriptedClient): void {
    const random = this.#random;
    for (let count = 1 + random.below(20); count > 0; count--) {
      const frame = this.#frames.nextRequest();
      const cut = random.percent(10) ? random.below(frame.length) : 0;
      if (cut > 0) {
        client.sendBytes(frame.subarray(0, cut));
        this.#server.settle();
      }
      client.sendBytes(frame.subarray(cut));
      this.#sent++;
    }
  }

  /** Everybody leaves, every session expires, every znode goes, old files too. */
  #tidyUp(): void {
    for (const client of this.#clients) client.disconnect();
    this.#clients = [];
    this.#server.notices.splice(1000);
    this.#server.advance(120_000);
    const client = ScriptedClient.open(this.#server);
    this.#server.advance(1000);
    // Whoever set an ACL is gone, so that the tree itself has to help.
    this.#removeBelow(client, '/');
    client.call(OpCode.closeSession);
    this.#server.advance(1000);
    const { directories } = this.#server.replica;
    assert.ok(directories !== null);
    const purge = new Purge(this.#server.disk, {
      onPurged: () => {},
      onPurgeFailed: (error) => assert.fail(String(error)),
    });
    purge.start(directories.snapshots, directories.logs, 3);
    this.#server.advance(1000);
  }

  #removeBelow(client: ScriptedClient, path: string): void {
    const reply = client.call(...getChildren(path));
    if (reply.err !== 0) return;
    for (const name of readStrings(reply.body)) {
      const child = path === '/' ? `/${name}` : `${path}/${name}`;
      this.#removeBelow(client, child);
      client.call(...remove(child));
    }
    client.received.length = 0;
  }

  #checkNothingIsLeft(): void {
    const { state, intake, applier } = this.#server.replica;
    assert.equal(intake.connections.count, 0, 'connections');
    assert.equal(this.#server.network.connectionCount, 0, 'connections of the network');
    assert.equal(state.sessions.count, 0, 'sessions');
    assert.deepEqual(state.sessions.expiry.buckets(), [], 'expiry buckets');
    assert.equal(state.watches.watchCount, 0, 'watches');
    assert.equal(state.tree.ephemeralCount, 0, 'ephemerals');
    assert.equal(state.tree.sessionsWithEphemeralsCount, 0, 'sessions with ephemerals');
    assert.equal(state.outstanding.count, 0, 'outstanding changes');
    assert.equal(intake.inProcess, 0, 'requests in process');
    assert.equal(applier.digestMismatches, 0, 'digests');
  }

  /** What the frames left in the log and the snapshots is read again. */
  #checkRestart(): void {
    const before = this.#server.replica.state;
    this.#server.kill();
    this.#server.start();
    const { state, applier } = this.#server.replica;
    assert.equal(state.lastProcessedZxid, before.lastProcessedZxid);
    assert.equal(state.tree.digestHi, before.tree.digestHi);
    assert.equal(state.tree.digestLo, before.tree.digestLo);
    assert.equal(state.tree.nodeCount, before.tree.nodeCount);
    assert.equal(applier.digestMismatches, 0);
  }
}

/** Bounds that damaged frames reach too. */
const narrowLimits: Partial<Limits> = {
  outstandingRequestsMax: 20,
  deferredBytesMax: 5000,
  unreadBytesMax: 1000,
  unsentBytesMax: 100_000,
  logGroupBytesMax: 2000,
};

const addresses = ['127.0.0.1', '10.1.2.3', '::1', 'fe80::1%eth0'];

/** Bytes in use after a full collection; 0 when the process may not ask for one. */
function memoryInUseBytes(): number {
  if (globalThis.gc === undefined) return 0;
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function pick<T>(random: SeededRandom, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}
