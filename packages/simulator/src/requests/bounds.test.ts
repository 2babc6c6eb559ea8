import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, JuteWriter, OpCode, writeRequestHeader } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import { ManualClock } from '../manual-clock.ts';
import {
  auth,
  create,
  exists,
  getChildren,
  getData,
  multi,
  onPathWith,
  readMultiResults,
  setData,
} from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';

const megabyte = 1024 * 1024;

function largeZnode(server: InProcessServer, bytes: number): ScriptedClient {
  const client = ScriptedClient.open(server);
  client.take();
  const reply = client.call(...create('/large', { data: new Uint8Array(bytes) }));
  assert.equal(reply.err, ErrorCode.ok);
  return client;
}

test('an answer that is too long is an error, and the connection stays', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  client.call(...create('/p'));
  const name = 'n'.repeat(1000);
  for (let i = 0; i < 1100; i++) client.send(...create(`/p/${name}${i}`));
  server.settle();
  client.take();
  assert.equal(client.call(...getChildren('/p')).err, ErrorCode.marshallingError);
  assert.equal(client.call(...exists('/p')).err, ErrorCode.ok);
});

test('whatever can be written can be read', () => {
  const server = new InProcessServer().start();
  // A frame of a create of jute.maxbuffer bytes: all but header, path, ACL and flags are data.
  const overhead = 8 + (4 + 6) + 4 + (4 + 4 + 4 + 5 + 4 + 6) + 4;
  const client = largeZnode(server, server.config.limits.frameBytesMax - overhead);
  assert.equal(client.call(...getData('/large')).err, ErrorCode.ok);
});

test('an applied multi is told so, however long the answer', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  client.call(...create('/a'));
  const operations = Array.from({ length: 20_000 }, () => setData('/a', ''));
  const reply = client.call(...multi(operations));
  assert.equal(reply.err, ErrorCode.ok);
  const results = readMultiResults(reply);
  assert.equal(results.length, 20_000);
  assert.equal(results.at(-1)?.stat?.version, 20_000);
});

test('a multiRead that asks for more than a client may get is an error at once', () => {
  const server = new InProcessServer().start();
  const client = largeZnode(server, 900_000);
  const reads = Array.from({ length: 40_000 }, () => getData('/large'));
  const memory = process.memoryUsage().arrayBuffers;
  assert.equal(client.call(...multi(reads, OpCode.multiRead)).err, ErrorCode.marshallingError);
  assert.ok(process.memoryUsage().arrayBuffers - memory < 64 * megabyte);
  assert.equal(client.call(...exists('/large')).err, ErrorCode.ok);
});

test('a client may ask for much at once, and gets it as fast as it reads', () => {
  const server = new InProcessServer({ limits: { unsentBytesMax: 16 * megabyte } }).start();
  const client = largeZnode(server, 1_000_000);
  for (let i = 0; i < 300; i++) client.send(...getData('/large'));
  let answers = 0;
  let mostUnsent = 0;
  for (let steps = 0; steps < 2000 && answers < 300; steps++) {
    server.clock.step();
    mostUnsent = Math.max(mostUnsent, client.connection.unsentBytes);
    for (const each of client.take()) {
      assert.equal(each.kind === 'reply' && each.reply.xid, answers + 2);
      answers++;
    }
  }
  assert.equal(answers, 300);
  assert.ok(mostUnsent <= 16 * megabyte, String(mostUnsent));
});

test('a client that takes every answer at once keeps nobody waiting', () => {
  const network = { systemBytesMax: Number.POSITIVE_INFINITY };
  const server = new InProcessServer({ network }).start();
  const client = largeZnode(server, 1_000_000);
  for (let i = 0; i < 300; i++) client.send(...getData('/large'));
  let answers = 0;
  let mostAtOnce = 0;
  for (let steps = 0; steps < 2000 && answers < 300; steps++) {
    server.clock.step();
    const count = client.take().length;
    mostAtOnce = Math.max(mostAtOnce, count);
    answers += count;
  }
  assert.equal(answers, 300);
  assert.ok(mostAtOnce < 50, String(mostAtOnce));
});

test('a client that never reads is cut, without a reply too many in memory', () => {
  const limits = { unsentBytesMax: 16 * megabyte };
  const server = new InProcessServer({ limits }).start();
  const other = largeZnode(server, 1_000_000);
  const client = ScriptedClient.open(server);
  client.connection.setReading(false);
  const memory = process.memoryUsage().arrayBuffers;
  // What it asked for before it is not read from any more is answered, and no more than that.
  for (let i = 0; i < 1000; i++) client.send(...getData('/large'));
  server.settle();
  assert.ok(process.memoryUsage().arrayBuffers - memory < 64 * megabyte);
  // Watch events cannot wait, so they are what cuts it in the end.
  for (let i = 0; i < 40 && !client.isClosed; i++) {
    client.send(...getData('/large'));
    server.advance(1000);
    other.call(OpCode.ping, undefined, -2);
  }
  assert.ok(other.call(...exists('/large')).err === ErrorCode.ok);
  server.advance(60_000);
  assert.ok(client.isClosed);
});

test('a client that never reads its events is cut at the bound', () => {
  const server = new InProcessServer({ limits: { unsentBytesMax: megabyte } }).start();
  const client = ScriptedClient.open(server, { timeOut: 60_000 });
  const path = `/${'p'.repeat(1000)}`;
  client.call(...onPathWith(OpCode.addWatch, path, 0));
  client.connection.setReading(false);
  const other = ScriptedClient.open(server);
  other.call(...create(path));
  let changes = 0;
  for (; changes < 5000 && !client.isClosed; changes++) other.call(...setData(path, ''));
  assert.ok(client.isClosed);
  assert.ok(changes > 1000);
  assert.ok(server.notices.some(({ kind }) => kind === 'slow-client'));
});

/** A clock that has gone on whenever somebody looks: whatever is measured takes a millisecond. */
class BusyClock extends ManualClock {
  #looks = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.#looks++;
  }
}

test('requests that take long have their turns, and keep their order', () => {
  const server = new InProcessServer({ clock: new BusyClock() }).start();
  const client = ScriptedClient.open(server);
  client.call(...create('/a'));
  client.take();
  const expected: string[] = [];
  for (let i = 0; i < 200; i++) {
    const xid = client.send(...(i % 20 === 7 ? setData('/a', 'x') : getChildren('/a')));
    expected.push(`#${xid}`);
  }
  const received: string[] = [];
  let mostAtOnce = 0;
  for (let steps = 0; steps < 2000 && received.length < 200; steps++) {
    server.clock.step();
    const summary = client.takeSummary();
    mostAtOnce = Math.max(mostAtOnce, summary.length);
    received.push(...summary);
  }
  assert.deepEqual(received, expected);
  assert.ok(mostAtOnce < 50, String(mostAtOnce));
});

test('clients that never read are cut when all together let too much wait', () => {
  const limits = { unsentTotalBytesMax: 16 * megabyte, collectedBytesMax: megabyte };
  const server = new InProcessServer({ limits }).start();
  const connect = (): ScriptedClient => {
    const client = ScriptedClient.open(server);
    client.call(...onPathWith(OpCode.addWatch, '/', 1));
    return client;
  };
  const readers = [connect(), connect()];
  const silent = Array.from({ length: 20 }, connect);
  for (const client of silent) client.connection.setReading(false);
  const writer = ScriptedClient.open(server);
  const waiting = (): number => silent.reduce((sum, each) => sum + each.connection.unsentBytes, 0);
  let mostWaiting = 0;
  for (let turn = 0; turn < 8; turn++) {
    for (let i = 0; i < 5; i++) writer.send(...create(`/${'p'.repeat(100_000)}${turn}-${i}`));
    server.settle();
    mostWaiting = Math.max(mostWaiting, waiting());
  }
  assert.ok(mostWaiting <= 17 * megabyte, String(mostWaiting));
  assert.ok(silent.some((client) => client.isClosed));
  assert.ok(silent.some((client) => !client.isClosed));
  for (const client of readers) assert.equal(client.takeEvents().length, 40);
  assert.equal(writer.call(...exists('/')).err, ErrorCode.ok);
});

test('too many requests under way pause their connections, and nothing is lost', () => {
  const limits = { outstandingRequestsMax: 10, deferredBytesMax: 1000 };
  const server = new InProcessServer({ limits, disk: { latencyMs: 1 } }).start();
  const client = ScriptedClient.open(server);
  server.advance(1000);
  client.take();
  const expected: string[] = [];
  for (let i = 1; i <= 500; i += 2) {
    client.send(...create(`/n${i}`));
    client.send(...exists(`/n${i}`));
    expected.push(`#${i}`, `#${i + 1}`);
    if (i % 50 === 1) server.advance(1);
  }
  assert.ok(server.replica.intake.inProcess > 0);
  server.advance(5000);
  assert.deepEqual(client.takeSummary(), expected);
  assert.equal(server.replica.intake.inProcess, 0);
});

test('the identities of a connection are bounded, in number and in bytes', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  client.take();
  let sent = 0;
  for (; sent < 200 && !client.isClosed; sent++) {
    client.send(...auth('digest', `${'u'.repeat(10_000)}${sent}:pw`), -4);
    server.settle();
  }
  assert.ok(client.isClosed);
  assert.ok(sent > 5 && sent < 200);
});

test('an ACL of auth entries stands for what the caller has proved, once each', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  for (let i = 0; i < 100; i++) client.send(...auth('digest', `user${i}:pw`), -4);
  server.settle();
  const acl = Array.from({ length: 32 }, (_, i) => ({
    perms: i,
    id: { scheme: 'auth', id: '' },
  }));
  const before = server.replica.state.tree.approximateDataBytes;
  assert.equal(client.call(...create('/a', { acl })).err, ErrorCode.ok);
  assert.ok(server.replica.state.tree.approximateDataBytes - before < 100);
});

test('a multi becomes no transaction that no log reader takes', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  for (let i = 0; i < 20; i++) {
    client.send(...auth('digest', `${'u'.repeat(10_000)}${i}:pw`), -4);
  }
  const acl = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  const creates = Array.from({ length: 1000 }, (_, i) => create(`/a${i}`, { acl }));
  const results = readMultiResults(client.call(...multi(creates)));
  const failed = results.findIndex(({ err }) => err !== 0);
  assert.equal(results[failed]?.err, ErrorCode.marshallingError);
  assert.equal(client.call(...exists('/a0')).err, ErrorCode.noNode);
  assert.equal(client.call(...create('/a0', { acl })).err, ErrorCode.ok);
  assert.equal(server.replica.applier.digestMismatches, 0);
});

test('lengths that no frame has close the connection', () => {
  for (const length of [-1, -(2 ** 31), 0x100000, 2 ** 31 - 1]) {
    const server = new InProcessServer().start();
    const client = ScriptedClient.open(server);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setInt32(0, length);
    client.sendBytes(bytes);
    server.settle();
    assert.ok(client.isClosed, String(length));
    assert.equal(server.notices[0]?.kind, 'frame-length');
  }
});

test('frames without a whole header close the connection', () => {
  for (let length = 0; length < 8; length++) {
    const server = new InProcessServer().start();
    const client = ScriptedClient.open(server);
    const bytes = new Uint8Array(4 + length);
    bytes[3] = length;
    client.sendBytes(bytes);
    server.settle();
    assert.ok(client.isClosed, String(length));
  }
});

test('a record cut anywhere is answered MARSHALLINGERROR, and the connection stays', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  const [, write] = create('/a');
  const whole = new JuteWriter();
  write(whole);
  for (let length = 0; length < whole.length; length++) {
    const reply = client.call(OpCode.create, (writer) => writer.writeBytes(whole.bytes, 0, length));
    assert.equal(reply.err, ErrorCode.marshallingError);
  }
  assert.equal(client.call(...exists('/a')).err, ErrorCode.noNode);
});

test('operations that are not for clients are answered UNIMPLEMENTED, and the connection closed', () => {
  for (const type of [
    0,
    -1,
    -10,
    10,
    OpCode.check,
    OpCode.deleteContainer,
    99,
    -127,
    2 ** 31 - 1,
  ]) {
    const server = new InProcessServer().start();
    const client = ScriptedClient.open(server);
    client.take();
    const writer = new JuteWriter();
    const frame = writer.beginFrame();
    writeRequestHeader(writer, { xid: 7, type });
    writer.writeString('/zookeeper/quota');
    writer.writeInt(-1);
    writer.endFrame(frame);
    client.sendBytes(writer.written());
    server.settle();
    assert.deepEqual(client.takeSummary(), ['#7!-6'], String(type));
    assert.ok(client.isClosed, String(type));
  }
});
