import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JuteWriter, OpCode, readSetWatches, readSetWatches2 } from '@meerkat/protocol';
import {
  AuthFailedError,
  ConnectionLossError,
  ConnectionTimeoutError,
  ProtocolError,
  SessionExpiredError,
} from './errors.ts';
import { connectedClient, fakeClient, outcome, stateOf } from './testing/fake-client.ts';
import { frame, turn, writeTestStat } from './testing/fake-ports.ts';

test('the handshake asks for a new session, and calls made before it wait for its end', async () => {
  const { zk, ports, states } = fakeClient({ canBeReadOnly: true });
  const exists = zk.exists('/a');
  await ports.pass(0);
  assert.equal(zk.state.status, 'connecting');
  const request = await ports.stream.welcome({ timeoutMs: 6000 });
  assert.equal(request.timeOut, 9000);
  assert.equal(request.sessionIdHi, 0);
  assert.equal(request.sessionIdLo, 0);
  assert.deepEqual([...(request.passwd ?? [])], new Array(16).fill(0));
  assert.equal(request.readOnly, true);
  assert.deepEqual(zk.state, {
    status: 'connected',
    sessionId: 0x1234_0000_0000_5678n,
    sessionTimeoutMs: 6000,
    server: 'one:1',
    resumed: false,
  });
  const seen = ports.stream.next();
  assert.equal(seen.opcode, OpCode.exists);
  ports.stream.reply(seen.xid, -101);
  assert.equal(await exists, null);
  assert.deepEqual(states, ['connected']);
});

test('requests of one turn leave in one write and are answered in order', async () => {
  const { zk, stream } = await connectedClient();
  const before = stream.writes.length;
  const calls = ['/a', '/b', '/c'].map((path) => zk.getChildren(path));
  await turn();
  assert.equal(stream.writes.length, before + 1);
  const replies = new JuteWriter();
  for (let i = 0; i < 3; i++) {
    const { xid, reader } = stream.next();
    const path = reader.readString();
    const bytes = frame((writer) => {
      writer.writeInt(xid);
      writer.writeLongFromDouble(9);
      writer.writeInt(0);
      writer.writeInt(1);
      writer.writeString(`child of ${path}`);
    });
    replies.writeBytes(bytes, 0, bytes.length);
  }
  stream.sendBytes(replies.toBytes());
  assert.deepEqual((await Promise.all(calls)).flat(), [
    'child of /a',
    'child of /b',
    'child of /c',
  ]);
  assert.equal(zk.lastZxid, 9n);
});

test('a reply out of order drops the connection; each pending call fails once', async () => {
  const { zk, stream, states } = await connectedClient();
  const calls = [zk.exists('/a'), zk.exists('/b')];
  await turn();
  stream.reply(2, -101);
  const errors = await Promise.all(
    calls.map((call) =>
      call.then(
        () => null,
        (error: unknown) => error,
      ),
    ),
  );
  for (const error of errors) {
    assert.ok(error instanceof ConnectionLossError);
    assert.ok(error.cause instanceof ProtocolError);
    assert.equal(error.mayHaveHappened, true);
  }
  assert.ok(stream.isClosed);
  assert.deepEqual(states, ['connected', 'disconnected']);
});

for (const [name, send] of [
  ['a reply that nothing asked for', frame((w) => [5, 0, 0, 0].forEach((n) => w.writeInt(n)))],
  ['a frame that is too long', Uint8Array.of(0x7f, 0, 0, 0)],
  ['a negative length', Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
  ['a frame that is too short', frame((w) => w.writeInt(1))],
  ['an event that is cut short', frame((w) => [-1, 0, 0, 0, 1].forEach((n) => w.writeInt(n)))],
] as const) {
  test(`${name} drops the connection`, async () => {
    const { zk, stream } = await connectedClient();
    stream.sendBytes(send);
    assert.ok(stream.isClosed);
    assert.equal(zk.state.status, 'disconnected');
  });
}

test('a record that does not decode fails its call and drops the connection', async () => {
  const { zk, stream } = await connectedClient();
  const calls = [zk.getData('/a'), zk.getData('/b')];
  await turn();
  stream.reply(stream.next().xid, 0, (writer) => writer.writeInt(1000));
  assert.deepEqual(await Promise.all(calls.map(outcome)), [
    'ConnectionLossError',
    'ConnectionLossError',
  ]);
  assert.ok(stream.isClosed);
});

test('a lost connection fails what is under way, and the same session goes on', async () => {
  const { zk, ports, stream, states } = await connectedClient({ reconnectJitterMs: 500 });
  const lost = outcome(zk.getData('/a'));
  await turn();
  ports.randoms.push(300);
  await stream.fail();
  assert.equal(await lost, 'ConnectionLossError');
  const waiting = zk.exists('/b');
  await ports.pass(299);
  assert.equal(ports.transport.streams.length, 1);
  await ports.pass(1);
  assert.equal(ports.transport.streams.length, 2);
  const request = await ports.stream.welcome();
  assert.equal(request.sessionIdHi, 0x1234_0000);
  assert.equal(request.sessionIdLo, 0x5678);
  assert.deepEqual([...(request.passwd ?? [])], new Array(16).fill(7));
  assert.ok(zk.state.status === 'connected' && zk.state.resumed);
  ports.stream.reply(ports.stream.next().xid, -101);
  assert.equal(await waiting, null);
  assert.deepEqual(states, ['connected', 'disconnected', 'connected']);
});

test('a call waits until every server was tried in vain', async () => {
  const { zk, ports } = fakeClient({ retryDelayMs: 700 }, 'one:1,two:2');
  const failed = zk.exists('/a').then(
    () => null,
    (reason: unknown) => reason,
  );
  await ports.pass(0);
  await ports.stream.fail(new Error('refused'));
  await ports.pass(0);
  assert.equal(ports.transport.streams.length, 2);
  assert.equal(zk.waiting, 1);
  await ports.stream.fail(new Error('refused too'));
  const error = await failed;
  assert.ok(error instanceof ConnectionLossError);
  assert.equal((error.cause as Error).message, 'refused too');
  assert.equal(error.mayHaveHappened, false);
  assert.match(error.message, /^Cannot look for \/a: CONNECTIONLOSS, it was not sent/);
  assert.equal(zk.lastDialError?.message, 'refused too');
  await ports.pass(699);
  assert.equal(ports.transport.streams.length, 2);
  await ports.pass(1);
  assert.equal(ports.transport.streams.length, 3);
});

test('a server that does not answer the dial or the handshake is given up', async () => {
  const { ports } = fakeClient({}, 'one:1,two:2,three:3');
  await ports.pass(0);
  await ports.pass(2999);
  assert.equal(ports.transport.streams.length, 1);
  await ports.pass(1);
  assert.ok(ports.transport.streams[0]?.isClosed);
  assert.equal(ports.transport.streams.length, 2);
});

test('an idle client pings; silence drops the connection after 2/3 of the timeout', async () => {
  const { zk, ports, stream } = await connectedClient();
  await ports.pass(1999);
  assert.equal(stream.unseen, 0);
  await ports.pass(1);
  const ping = stream.next();
  assert.deepEqual([ping.xid, ping.opcode], [-2, OpCode.ping]);
  stream.reply(-2);
  await ports.pass(2000);
  assert.equal(stream.next().xid, -2);
  await ports.pass(2000);
  await ports.pass(1999);
  assert.equal(zk.state.status, 'connected');
  await ports.pass(1);
  const state = stateOf(zk);
  assert.ok(state.status === 'disconnected' && state.cause instanceof ConnectionTimeoutError);
});

test('a client that was itself stopped reads what arrived before it judges', async () => {
  const { zk, ports, stream } = await connectedClient();
  ports.clock.standAt(ports.clock.nowMs() + 7000);
  ports.clock.fireNext(ports.clock.nowMs());
  assert.equal(zk.state.status, 'connected');
  stream.reply(-2);
  await ports.pass(10);
  assert.equal(zk.state.status, 'connected');
});

test('the client gives the session up after 4/3 of its timeout without a word', async () => {
  const { zk, ports, stream, states } = await connectedClient({ retryDelayMs: 100_000 });
  const heard: string[] = [];
  const watched = zk.exists('/a', { watch: (event) => heard.push(event.type) });
  await turn();
  stream.reply(stream.next().xid, -101);
  await watched;
  await stream.fail();
  await ports.pass(0);
  await ports.stream.fail();
  const waiting = outcome(zk.exists('/b'));
  await ports.pass(11_999);
  assert.equal(zk.state.status, 'disconnected');
  await ports.pass(1);
  assert.deepEqual(zk.state, { status: 'expired', by: 'client' });
  assert.equal(await waiting, 'SessionExpiredError');
  assert.equal(await outcome(zk.exists('/c')), 'SessionExpiredError');
  assert.deepEqual(heard, ['sessionEnded']);
  assert.deepEqual(states, ['connected', 'disconnected', 'expired']);
  assert.equal(ports.clock.pending, 0);
});

test('a server that no longer knows the session ends it', async () => {
  const { zk, ports, stream } = await connectedClient();
  await stream.fail();
  const waiting = outcome(zk.exists('/b'));
  await ports.pass(0);
  await ports.stream.welcome({ timeoutMs: 0, sessionId: 0n });
  assert.deepEqual(zk.state, { status: 'expired', by: 'server' });
  assert.equal(await waiting, 'SessionExpiredError');
  await zk.close();
});

test('a session is handed from one client to the next', async () => {
  const first = await connectedClient();
  const session = first.zk.session;
  assert.ok(session !== null);
  await first.zk.close({ keepSession: true });
  assert.ok(first.stream.isClosed);
  assert.equal(first.stream.unseen, 0);
  const second = fakeClient({ session });
  await second.ports.pass(0);
  const request = await second.ports.stream.welcome();
  assert.equal(request.sessionIdLo, 0x5678);
  assert.ok(second.zk.state.status === 'connected' && second.zk.state.resumed);
});

test('close() ends the session after the calls made before', async () => {
  const { zk, stream, states } = await connectedClient();
  const call = zk.exists('/a');
  const closed = zk.close();
  assert.equal(await outcome(zk.exists('/late')), 'SessionExpiredError');
  await turn();
  stream.reply(stream.next().xid, -101);
  const close = stream.next();
  assert.equal(close.opcode, OpCode.closeSession);
  assert.equal(await call, null);
  stream.reply(close.xid);
  await closed;
  await zk.close();
  assert.ok(stream.isClosed);
  assert.deepEqual(states, ['connected', 'closed']);
});

test('close() does not wait for a server that is gone', async () => {
  const { zk, stream } = await connectedClient();
  const closed = zk.close();
  await turn();
  await stream.fail();
  await closed;
  assert.equal(zk.state.status, 'closed');
  const other = fakeClient();
  await other.zk.close();
  assert.equal(other.ports.clock.pending, 0);
});

test('credentials go first on every connection; a refusal ends the client', async () => {
  const { zk, ports, stream } = await connectedClient({
    auth: [{ scheme: 'digest', auth: 'a:b' }],
  });
  const added = zk.addAuth('digest', 'c:d');
  await turn();
  assert.deepEqual([stream.next().xid, stream.next().xid], [-4, -4]);
  stream.reply(-4);
  stream.reply(-4);
  await added;
  await stream.fail();
  const waiting = outcome(zk.exists('/a'));
  await ports.pass(0);
  await ports.stream.welcome();
  const auth = ports.stream.next();
  assert.deepEqual([auth.xid, auth.opcode, auth.reader.readInt()], [-4, OpCode.auth, 0]);
  assert.equal(auth.reader.readString(), 'digest');
  assert.equal(Buffer.from(auth.reader.readBuffer() ?? []).toString(), 'a:b');
  ports.stream.next();
  assert.equal(ports.stream.next().opcode, OpCode.exists);
  const refused = assert.rejects(zk.addAuth('nope', ''), AuthFailedError);
  ports.stream.reply(-4);
  ports.stream.reply(-4);
  ports.stream.reply(-4, -115);
  assert.equal(await waiting, 'AuthFailedError');
  await refused;
  assert.equal(zk.state.status, 'authFailed');
});

test('watches are set anew on a new connection, in the older form when that will do', async () => {
  const { zk, ports, stream } = await connectedClient({ setWatchesBytesMax: 6 }, 'one:1/app');
  const watch = (): void => {};
  const set = [
    zk.getData('/a', { watch }),
    zk.exists('/b', { watch }),
    zk.getChildren('/c', { watch }),
  ];
  const persistent = zk.addWatch('/d', watch, { mode: 'persistent' });
  await turn();
  stream.reply(
    stream.next().xid,
    0,
    (writer) => {
      writer.writeBuffer(null);
      writeTestStat(writer);
    },
    20,
  );
  stream.reply(stream.next().xid, -101, () => {}, 21);
  stream.reply(stream.next().xid, 0, (writer) => writer.writeInt(0), 22);
  stream.reply(stream.next().xid, 0, () => {}, 23);
  await Promise.all([...set, persistent]);
  await stream.fail();
  await ports.pass(0);
  const request = await ports.stream.welcome();
  assert.equal(request.lastZxidSeen, 23);
  const older = ports.stream.next();
  assert.deepEqual([older.xid, older.opcode], [-8, OpCode.setWatches]);
  assert.deepEqual(readSetWatches(older.reader), {
    relativeZxid: 23,
    dataWatches: ['/app/a'],
    existWatches: [],
    childWatches: [],
  });
  assert.deepEqual(readSetWatches(ports.stream.next().reader).existWatches, ['/app/b']);
  assert.deepEqual(readSetWatches(ports.stream.next().reader).childWatches, ['/app/c']);
  const newer = ports.stream.next();
  assert.equal(newer.opcode, OpCode.setWatches2);
  assert.deepEqual(readSetWatches2(newer.reader).persistentWatches, ['/app/d']);
});

test('an event is told ahead of the answers that follow it, after those before it', async () => {
  const { zk, stream } = await connectedClient({}, 'one:1/app');
  const told: string[] = [];
  const watched = zk.getChildren('/a', {
    watch: (event) => told.push(`${event.type} ${event.path} ${event.zxid}`),
  });
  const before = zk.getChildren('/b').then(() => told.push('before'));
  const after = zk.getChildren('/c').then(() => told.push('after'));
  await turn();
  stream.reply(1, 0, (writer) => writer.writeInt(0));
  stream.reply(2, 0, (writer) => writer.writeInt(0));
  stream.notify(4, '/app/a', 30);
  stream.reply(3, 0, (writer) => writer.writeInt(0));
  await Promise.all([watched, before, after]);
  assert.deepEqual(told, ['before', 'nodeChildrenChanged /a 30', 'after']);
});

test('a watcher that throws stops neither the others nor the client', async () => {
  const errors: unknown[] = [];
  const { zk, stream } = await connectedClient({ onListenerError: (error) => errors.push(error) });
  const told: string[] = [];
  const calls = [
    zk.exists('/a', {
      watch: () => {
        throw new Error('mine');
      },
    }),
    zk.exists('/a', { watch: (event) => told.push(event.type) }),
  ];
  await turn();
  stream.reply(1, -101);
  stream.reply(2, -101);
  await Promise.all(calls);
  stream.notify(1, '/a');
  await turn();
  assert.deepEqual(told, ['nodeCreated']);
  assert.equal(errors.length, 1);
  assert.equal(zk.state.status, 'connected');
});

test('a read-only client looks for a server that takes writes', async () => {
  const { zk, ports, stream } = await connectedClient({ canBeReadOnly: true }, 'one:1,two:2', {
    readOnly: true,
  });
  assert.equal(zk.state.status, 'connectedReadOnly');
  await ports.pass(100);
  const probe = ports.stream;
  assert.notEqual(probe, stream);
  probe.drained();
  await probe.fail();
  await ports.pass(200);
  const second = ports.stream;
  assert.notEqual(second, probe);
  second.sendBytes(Buffer.from('rw\n'));
  assert.equal(zk.state.status, 'disconnected');
  await ports.pass(0);
  assert.deepEqual(ports.stream.server, second.server);
  const request = await ports.stream.welcome({ sessionId: 5n });
  assert.equal(request.sessionIdLo, 0);
  const state = stateOf(zk);
  assert.ok(state.status === 'connected' && !state.resumed);
});

test('no more than allowed is in flight; what waits is bounded', async () => {
  const { zk, stream } = await connectedClient({ inFlightRequestsMax: 2, waitingRequestsMax: 2 });
  const calls = [1, 2, 3, 4, 5].map((i) => outcome(zk.exists(`/${i}`)));
  await turn();
  assert.equal(stream.unseen, 2);
  assert.deepEqual([zk.inFlight, zk.waiting], [2, 2]);
  assert.equal(await calls[4], 'RequestQueueFullError');
  let capacity = false;
  const roomy = zk.capacity().then(() => {
    capacity = true;
  });
  for (let xid = 1; xid <= 4; xid++) {
    await turn();
    assert.equal(capacity, xid === 4);
    stream.reply(xid, -101);
  }
  await roomy;
  assert.deepEqual(await Promise.all(calls.slice(0, 4)), [null, null, null, null]);
});

test('a socket that does not take more holds further requests back', async () => {
  const { zk, stream } = await connectedClient({ unsentBytesMax: 100 });
  stream.unsentBytes = 100;
  const call = zk.exists('/a');
  await turn();
  assert.equal(stream.unseen, 0);
  stream.drained();
  await turn();
  stream.reply(stream.next().xid, -101);
  assert.equal(await call, null);
});

test('a call that is given up leaves its place in the order of replies', async () => {
  const { zk, ports, stream } = await connectedClient({ requestTimeoutMs: 1500 });
  const abort = new AbortController();
  const told: string[] = [];
  const aborted = zk.exists('/a', {
    signal: abort.signal,
    watch: (event) => told.push(event.type),
  });
  const timed = outcome(zk.exists('/b', { timeoutMs: 500 }));
  const patient = zk.exists('/c');
  await turn();
  abort.abort(new Error('no longer needed'));
  await assert.rejects(aborted, /no longer needed/);
  await ports.pass(500);
  assert.equal(await timed, 'RequestTimeoutError');
  for (const xid of [1, 2]) stream.reply(xid, -101);
  stream.reply(3, -101);
  assert.equal(await patient, null);
  stream.notify(1, '/a');
  await turn();
  assert.deepEqual(told, []);
  await assert.rejects(zk.exists('/a', { signal: abort.signal }), /no longer needed/);
  const waiting = outcome(zk.exists('/d'));
  await ports.pass(1500);
  assert.equal(await waiting, 'RequestTimeoutError');
});

test('a call given up before it was sent is never sent', async () => {
  const { zk, ports } = fakeClient();
  const abort = new AbortController();
  const call = zk.create('/a', '', { signal: abort.signal });
  abort.abort();
  await assert.rejects(call, { name: 'AbortError' });
  await ports.pass(0);
  await ports.stream.welcome();
  assert.equal(ports.stream.unseen, 0);
});

test('states() gives the present state, then each later one, and ends after the last', async () => {
  const { zk, ports, stream } = await connectedClient();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const state of zk.states()) seen.push(state.status);
  })();
  await turn();
  await stream.fail();
  await ports.pass(0);
  await ports.stream.welcome();
  await zk.close({ keepSession: true });
  await reading;
  assert.deepEqual(seen, ['connected', 'disconnected', 'connected', 'closed']);
});

test('connected() says why it gave up', async () => {
  const { zk, ports } = fakeClient();
  const waiting = zk.connected({ timeoutMs: 50 });
  await ports.pass(0);
  await ports.stream.fail(new Error('refused'));
  const failed = assert.rejects(waiting, (error: unknown) => {
    assert.ok(error instanceof ConnectionLossError);
    assert.match(error.message, /refused/);
    return true;
  });
  await ports.pass(50);
  await failed;
  await zk.close();
  await assert.rejects(zk.connected(), SessionExpiredError);
});
