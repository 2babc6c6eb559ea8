import assert from 'node:assert/strict';
import { type Acl, JuteReader, JuteWriter, readStat } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import { sessionName } from '../model/describe-reply.ts';
import type { ModelRead } from '../model/model-reads.ts';
import {
  applyWrite,
  type ModelCaller,
  type ModelChange,
  type ModelTree,
  type ModelWrite,
  newTree,
  statOf,
} from '../model/model-tree.ts';
import { auth } from '../model/operations.ts';
import { credentials, digestId, drawRequest, encodeRequest } from '../model/random-requests.ts';
import { ScriptedClient } from '../scripted-client.ts';
import { SeededRandom } from '../seeded-random.ts';
import { ModelClient, type ModelHistory } from './model-client.ts';

/** One transaction of the model. */
interface Version {
  readonly tree: ModelTree;
  readonly changes: readonly ModelChange[];
  readonly isUnordered: boolean;
  /** Sessions alive after it. */
  readonly sessions: ReadonlySet<string>;
}

/**
 * Random clients against a server and the model of it, through crashes. Transactions are numbered by the
 * model as they are sent; all that the server answers has to fit to that, and after a crash it has to
 * stand at one of them, none before what anybody was told.
 */
export class ModelRun implements ModelHistory {
  readonly server: InProcessServer;
  /** Requests sent. */
  sent = 0;
  readonly #random: SeededRandom;
  #versions: Version[];
  #clients: ModelClient[] = [];
  /** Clients whose session has expired, until they are told. */
  #leaving: ModelClient[] = [];
  /** Newest transaction that anybody was told of. */
  #toldZxid = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const random = this.#random;
    const base = new InProcessServer().config;
    this.server = new InProcessServer({
      seed,
      disk: { latencyMs: random.below(3) },
      config: {
        extendedTypesEnabled: true,
        closeSessionTxnEnabled: random.percent(80),
        txnLog: {
          ...base.txnLog,
          snapCount: 20 + random.below(200),
          preAllocSizeKb: random.below(2) * 64,
        },
        container: { ...base.container, checkIntervalMs: 1e9 },
      },
      limits: { logGroupBytesMax: random.percent(30) ? 500 : 1 << 20 },
    });
    const tree = newTree();
    this.#versions = [{ tree, changes: [], isUnordered: false, sessions: new Set() }];
    this.server.start();
  }

  get lastZxid(): number {
    return this.#versions.length - 1;
  }

  treeAt(zxid: number): ModelTree {
    return this.#at(zxid).tree;
  }

  changesOf(zxid: number): readonly ModelChange[] {
    return this.#at(zxid).changes;
  }

  isUnordered(zxid: number): boolean {
    return this.#at(zxid).isUnordered;
  }

  /** Does `steps` things at random. */
  run(steps: number): void {
    const random = this.#random;
    for (let step = 0; step < steps; step++) {
      const choice = random.below(1000);
      if (this.#clients.length < 4 && choice < 300) this.#connect(null);
      else if (choice < 700) this.#sendChunk();
      else if (choice < 960) this.#advance(random.below(20));
      else if (choice < 975) this.#reconnect();
      else if (choice < 985) this.#settle();
      else if (choice < 993) this.server.replica.beginSnapshot();
      else this.#crash();
      for (const client of [...this.#clients, ...this.#leaving]) this.#checkClient(client);
    }
    this.#settle();
    this.#compareTrees(this.lastZxid);
    this.#crash();
  }

  /** Lets time go by, and takes down which sessions expire meanwhile. */
  #advance(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.server.advance(1);
      for (const { kind, detail } of this.server.notices.splice(0)) {
        if (kind === 'session-expired') this.#expire(detail);
      }
    }
  }

  #expire(session: string): void {
    const before = this.#at(this.lastZxid);
    const caller = { session, digestId: '' };
    const end = { kind: 'closeSession' } as const;
    const { tree, changes } = applyWrite(before.tree, end, caller, this.lastZxid + 1, 0);
    const sessions = new Set(before.sessions);
    assert.ok(sessions.delete(session), 'a session that expires was there');
    this.#append({ tree, changes, isUnordered: true, sessions });
    const client = this.#clients.find((each) => each.caller.session === session);
    if (client === undefined) return;
    assert.ok(this.server.clock.monotonicMs() - client.heardMs >= 6000, 'it was silent for long');
    // Nothing that it sends from now on is heard, so all it has to see is the end.
    this.#leaving.push(client);
    this.#clients = this.#clients.filter((each) => each !== client);
  }

  #checkClient(client: ModelClient): void {
    client.check();
    this.#toldZxid = Math.max(this.#toldZxid, client.seenZxid);
  }

  #connect(former: ModelClient | null): void {
    const client = new ScriptedClient(this.server);
    const heardMs = this.server.clock.monotonicMs();
    const isNew = former === null;
    client.sendHandshake({
      timeOut: this.#random.below(2) === 0 ? 6000 : 60_000,
      session: former?.client.session ?? null,
      lastZxidSeen: former?.seenZxid ?? 0,
    });
    this.server.settle();
    if (isNew) this.#append({ ...this.#at(this.lastZxid), changes: [], isUnordered: false });
    const zxid = this.lastZxid;
    this.#advance(1000);
    const { session } = client;
    assert.ok(session !== null && session.timeOut > 0, 'a session');
    const name = sessionName(session.sessionIdHi, session.sessionIdLo);
    if (isNew) {
      for (let at = zxid; at <= this.lastZxid; at++) {
        const sessions = new Set(this.#at(at).sessions).add(name);
        this.#versions[at] = { ...this.#at(at), sessions };
      }
    }
    const isKnown = former === null ? this.#random.percent(40) : former.caller.digestId !== '';
    if (isKnown) client.send(...auth('digest', credentials), -4);
    this.server.settle();
    const caller: ModelCaller = { session: name, digestId: isKnown ? digestId : '' };
    for (const each of this.#clients) this.#checkClient(each);
    // A new connection has no watches, so what came before it does not concern it.
    const applied = this.server.replica.state.lastProcessedZxid;
    const model = new ModelClient(client, caller, this, applied);
    model.heardMs = heardMs;
    this.#clients.push(model);
  }

  #reconnect(): void {
    const index = this.#random.below(Math.max(1, this.#clients.length));
    const former = this.#clients[index];
    if (former === undefined || !this.#isAlive(former)) return;
    this.#clients.splice(index, 1);
    if (this.#random.percent(50)) former.client.disconnect();
    this.#connect(former);
  }

  #sendChunk(): void {
    const random = this.#random;
    const index = random.below(Math.max(1, this.#clients.length));
    const client = this.#clients[index];
    if (client === undefined) return;
    client.heardMs = this.server.clock.monotonicMs();
    for (let count = 1 + random.below(6); count > 0; count--) {
      if (random.below(200) === 0) {
        this.#send(client, { kind: 'closeSession' });
        this.#leave(client);
        return;
      }
      this.#send(client, drawRequest(random, this.lastZxid));
    }
    this.server.settle();
  }

  #leave(client: ModelClient): void {
    this.#advance(1000);
    this.#checkClient(client);
    assert.deepEqual(client.expected, [], 'all is answered before the end');
    assert.ok(client.client.isClosed);
    this.#clients = this.#clients.filter((each) => each !== client);
  }

  #send(client: ModelClient, request: ModelRead | ModelWrite): void {
    const xid = client.client.send(...encodeRequest(request));
    this.sent++;
    if (isRead(request)) {
      const own = client.expected.findLast((each) => 'write' in each) as
        | { zxid: number }
        | undefined;
      const zxidMin = Math.max(this.#toldZxid, own?.zxid ?? 0);
      client.expected.push({ xid, read: request, zxidMin });
      return;
    }
    const zxid = this.lastZxid + 1;
    const before = this.#at(zxid - 1);
    const timeMs = this.server.clock.wallMs();
    const outcome = applyWrite(before.tree, request, client.caller, zxid, timeMs);
    const isEnd = request.kind === 'closeSession';
    const sessions = new Set(before.sessions);
    if (isEnd) sessions.delete(client.caller.session);
    const { tree, changes } = outcome;
    this.#append({ tree, changes, isUnordered: isEnd, sessions });
    client.expected.push({ xid, write: request, zxid, err: outcome.err, body: outcome.body });
  }

  #append(version: Version): void {
    this.#versions.push(version);
  }

  #settle(): void {
    this.#advance(1000);
    // A session may have expired just now.
    while (this.server.replica.state.lastProcessedZxid < this.lastZxid) this.#advance(50);
    for (const client of this.#clients) {
      this.#checkClient(client);
      assert.deepEqual(client.expected, [], 'all is answered');
      client.checkAllEvents();
    }
    for (const client of this.#leaving) {
      this.#checkClient(client);
      assert.deepEqual(client.expected, [], 'all is answered');
      assert.ok(client.client.isClosed, 'a client whose session has expired is closed');
    }
    this.#leaving = [];
    assert.equal(this.server.replica.state.lastProcessedZxid, this.lastZxid);
  }

  /** The power is cut, or the process only. What anybody was told is there afterwards. */
  #crash(): void {
    const random = this.#random;
    for (const client of this.#clients) this.#checkClient(client);
    assert.equal(this.server.replica.applier.digestMismatches, 0);
    if (random.percent(70)) this.server.crash();
    else this.server.kill();
    this.#advance(random.below(1000));
    this.server.start();
    const zxid = this.server.replica.state.lastProcessedZxid;
    assert.ok(zxid >= this.#toldZxid, `lost: at ${zxid}, ${this.#toldZxid} was told`);
    assert.ok(
      zxid <= this.lastZxid,
      `invented: at ${zxid}, the last one sent was ${this.lastZxid}`,
    );
    this.#versions.length = zxid + 1;
    this.#compareTrees(zxid);
    const formers = this.#clients;
    this.#clients = [];
    this.#leaving = [];
    for (const former of formers) {
      if (this.#isAlive(former) && random.percent(70)) this.#connect(former);
    }
  }

  #compareTrees(zxid: number): void {
    const { state, applier } = this.server.replica;
    assert.equal(applier.digestMismatches, 0, 'digests');
    const { tree, sessions } = this.#at(zxid);
    const alive = [...state.sessions.all()].map(({ idHi, idLo }) => sessionName(idHi, idLo));
    assert.deepEqual(new Set(alive), sessions, 'sessions');
    assert.equal(state.tree.nodeCount, tree.size + 1);
    const writer = new JuteWriter();
    for (const [path, node] of tree) {
      const id = state.tree.findString(path);
      assert.ok(id !== -1, path);
      const data = state.tree.copyData(id);
      assert.equal(data === null ? null : Buffer.from(data).toString(), node.data, path);
      state.tree.writeStat(writer.clear(), id);
      const { ephemeralOwnerHi, ephemeralOwnerLo, ...rest } = readStat(
        new JuteReader(writer.bytes, 0, writer.length),
      );
      const owner = sessionName(ephemeralOwnerHi, ephemeralOwnerLo);
      assert.deepEqual({ ...rest, owner }, statOf(tree, path), path);
      const acl: readonly Acl[] = state.tree.acls.get(state.tree.aclId(id));
      assert.deepEqual(acl, node.acl, path);
    }
  }

  #isAlive(client: ModelClient): boolean {
    return this.#at(this.lastZxid).sessions.has(client.caller.session);
  }

  #at(zxid: number): Version {
    const version = this.#versions[zxid];
    assert.ok(version !== undefined, `transaction ${zxid} of ${this.lastZxid}`);
    return version;
  }
}

function isRead(request: ModelRead | ModelWrite): request is ModelRead {
  return !['create', 'delete', 'setData', 'setAcl', 'check', 'multi', 'closeSession'].includes(
    request.kind,
  );
}
