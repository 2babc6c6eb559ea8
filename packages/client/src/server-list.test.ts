import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { BadArgumentsError } from './errors.ts';
import type { SrvCallback, SrvRecord } from './ports.ts';
import { connectedClient, outcome } from './testing/fake-client.ts';
import { FakePorts, turn } from './testing/fake-ports.ts';
import { ZooKeeper } from './zookeeper.ts';

/** Ports whose name server answers when the test says so. */
class NamedPorts extends FakePorts {
  readonly questions: { readonly name: string; readonly callback: SrvCallback }[] = [];
  readonly resolver = {
    resolveSrv: (name: string, callback: SrvCallback): void =>
      void this.questions.push({ name, callback }),
  };

  /** Answers the question asked first with these servers, `host:port`. */
  async answer(...servers: readonly string[]): Promise<void> {
    const records = servers.map((server): SrvRecord => {
      const [name = '', port] = server.split(':');
      return { name, port: Number(port) };
    });
    this.questions.shift()?.callback(null, records);
    await turn();
  }

  async fail(message: string): Promise<void> {
    this.questions.shift()?.callback(new Error(message), []);
    await turn();
  }

  /** The servers dialed so far. */
  get dialed(): string[] {
    return this.transport.streams.map(({ server }) => `${server.host}:${server.port}`);
  }
}

const srv = 'dns-srv://_zookeeper._tcp.example/app';

function named(): { ports: NamedPorts; zk: ZooKeeper } {
  const ports = new NamedPorts();
  return { ports, zk: new ZooKeeper(srv, { sessionTimeoutMs: 9000, reconnectJitterMs: 0 }, ports) };
}

test('updateServerList() leaves a server that is gone, once what is under way is answered', async () => {
  const { zk, ports, stream, states } = await connectedClient({ reconnectJitterMs: 0 }, 'one:1');
  const underWay = zk.exists('/a');
  await turn();
  assert.equal(zk.updateServerList('two:2,three:3'), true);
  const waiting = zk.exists('/b');
  await turn();
  const seen = stream.next();
  assert.equal(stream.unseen, 0, 'nothing more is sent there');
  assert.equal(zk.state.status, 'connected');
  stream.reply(seen.xid, -101);
  await turn();
  assert.equal(await underWay, null);
  assert.ok(stream.isClosed);
  await ports.pass(0);
  assert.equal(ports.transport.streams.length, 2);
  assert.notEqual(ports.stream.server.host, 'one');
  await ports.stream.welcome();
  const next = ports.stream.next();
  assert.equal(next.opcode, OpCode.exists);
  ports.stream.reply(next.xid, -101);
  assert.equal(await waiting, null, 'what waited was not lost');
  assert.deepEqual(states, ['connected', 'disconnected', 'connected']);
});

test('updateServerList() disturbs nobody whose server stays, when no server is new', async () => {
  const { zk, stream } = await connectedClient({}, 'one:1');
  assert.equal(zk.updateServerList('one:1'), false);
  await turn();
  assert.ok(!stream.isClosed);
});

test('close() amid a move still ends the session on the server', async () => {
  const { zk, stream } = await connectedClient({}, 'one:1');
  const underWay = zk.exists('/a');
  await turn();
  zk.updateServerList('two:2');
  const closing = zk.close();
  await turn();
  stream.reply(stream.next().xid, -101);
  await underWay;
  const seen = stream.next();
  assert.equal(seen.opcode, OpCode.closeSession);
  stream.reply(seen.xid);
  await closing;
});

test('updateServerList() during a dial begins anew with the new list', async () => {
  const ports = new FakePorts();
  const zk = new ZooKeeper('one:1', { sessionTimeoutMs: 9000 }, ports);
  await ports.pass(0);
  zk.updateServerList('two:2');
  await ports.pass(1000);
  assert.ok(ports.transport.streams[0]?.isClosed);
  assert.equal(ports.stream.server.host, 'two');
  await zk.close();
  assert.equal(zk.updateServerList('three:3'), false);
});

test('updateServerList() takes the chroot it has, no other', async () => {
  const { zk } = await connectedClient({}, 'one:1/app');
  assert.equal(zk.updateServerList('one:1/app'), false);
  assert.equal(zk.updateServerList('one:1'), false);
  for (const wrong of ['one:1/other', '', 'one:x'])
    assert.throws(() => zk.updateServerList(wrong), BadArgumentsError);
});

test('dns-srv:// dials the servers that its name has', async () => {
  const { ports, zk } = named();
  const call = zk.exists('/a');
  await ports.pass(100);
  assert.deepEqual(ports.dialed, []);
  assert.equal(ports.questions[0]?.name, '_zookeeper._tcp.example');
  await ports.answer('zk1.example.:2181');
  await ports.pass(0);
  assert.deepEqual(ports.dialed, ['zk1.example:2181']);
  await ports.stream.welcome();
  const seen = ports.stream.next();
  assert.equal(seen.reader.readString(), '/app/a', 'the chroot stands after the name');
  ports.stream.reply(seen.xid, -101);
  assert.equal(await call, null);
  await zk.close({ keepSession: true });
  assert.equal(ports.clock.pending, 0, 'nobody asks any more');
});

test('dns-srv:// asks again each minute; a change counts from the next dial on', async () => {
  const { ports, zk } = named();
  await ports.answer('a:1');
  await ports.pass(0);
  await ports.stream.welcome({ timeoutMs: 1_000_000 });
  await ports.pass(59_999);
  assert.equal(ports.questions.length, 0);
  await ports.pass(1);
  assert.equal(ports.questions.length, 1);
  await ports.answer('b:2', ':3', 'c:0', 'd:70000');
  assert.equal(zk.state.status, 'connected');
  assert.deepEqual(ports.dialed, ['a:1']);
  await ports.stream.fail();
  await ports.pass(0);
  assert.deepEqual(ports.dialed, ['a:1', 'b:2']);
  await zk.close();
});

test('dns-srv:// asks again at once when a whole round of servers was in vain', async () => {
  const { ports, zk } = named();
  await ports.answer('a:1');
  await ports.pass(0);
  await ports.stream.fail();
  assert.equal(ports.questions.length, 1);
  await ports.answer('b:2');
  await ports.pass(1000);
  assert.deepEqual(ports.dialed, ['a:1', 'b:2']);
  await zk.close();
});

test('dns-srv:// without an answer of use fails calls with the reason, and goes on asking', async () => {
  const { ports, zk } = named();
  const call = assert.rejects(zk.exists('/a'), (error: Error) => {
    assert.equal(error.name, 'ConnectionLossError');
    assert.equal(error.cause, zk.lastDialError);
    return true;
  });
  await ports.fail('ENOTFOUND');
  await call;
  assert.match(String(zk.lastDialError), /ENOTFOUND/);
  const second = outcome(zk.exists('/a'));
  await ports.pass(1000);
  await ports.answer();
  assert.equal(await second, 'ConnectionLossError');
  assert.match(String(zk.lastDialError), /has no SRV record/);
  await ports.pass(1000);
  await ports.answer('a:1');
  await ports.pass(0);
  assert.deepEqual(ports.dialed, ['a:1']);
  await ports.stream.welcome({ timeoutMs: 1_000_000 });
  await ports.pass(60_000);
  await ports.fail('SERVFAIL');
  assert.equal(zk.lastDialError, null, 'once there are servers, DNS may fail');
  await zk.close({ keepSession: true });
});

test('updateServerList() changes between given servers and a name', async () => {
  const { ports, zk } = named();
  assert.equal(zk.updateServerList('a:1'), false);
  await ports.answer('late:1');
  await ports.pass(0);
  assert.deepEqual(ports.dialed, ['a:1']);
  await ports.stream.welcome({ timeoutMs: 1_000_000 });
  assert.equal(zk.updateServerList(srv), false);
  await ports.answer('b:2');
  assert.equal(zk.state.status, 'connected');
  await ports.stream.fail();
  await ports.pass(0);
  assert.deepEqual(ports.dialed, ['a:1', 'b:2']);
  await zk.close();
});

test('ports that look up no names refuse dns-srv://', () => {
  assert.throws(() => new ZooKeeper(srv, {}, new FakePorts()), {
    message: /^Cannot use a connect string: current value is dns-srv:/,
  });
});
