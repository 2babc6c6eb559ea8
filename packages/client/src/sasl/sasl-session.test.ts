import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ErrorCode, OpCode } from '@meerkat/protocol';
import { AuthFailedError, BadArgumentsError } from '../errors.ts';
import { type FakeClient, fakeClient, outcome } from '../testing/fake-client.ts';
import { turn, writeTestStat } from '../testing/fake-ports.ts';
import { SaslError } from './digest-md5.ts';

const sasl = { username: 'bob', password: 'secret' };
const challenge = 'realm="zk-sasl-md5",nonce="n0",charset=utf-8,algorithm=md5-sess';

/** Takes the next request, which must be one of SASL; returns its number and token. */
function nextToken(client: FakeClient): { xid: number; token: string } {
  const { xid, opcode, reader } = client.ports.stream.next();
  assert.equal(opcode, OpCode.sasl);
  return { xid, token: Buffer.from(reader.readBuffer() ?? []).toString() };
}

async function answer(
  client: FakeClient,
  xid: number,
  token: string | null,
  code = 0,
): Promise<void> {
  const bytes = token === null ? null : Buffer.from(token);
  client.ports.stream.reply(xid, code, (writer) => writer.writeBuffer(bytes));
  await turn();
}

function proofOfServer(): string {
  const md5 = (data: string | Buffer): Buffer => createHash('md5').update(data).digest();
  const cnonce = '0'.repeat(32);
  const secret = Buffer.concat([md5('bob:zk-sasl-md5:secret'), Buffer.from(`:n0:${cnonce}`)]);
  const session = md5(secret).toString('hex');
  const target = md5(':zookeeper/zk-sasl-md5').toString('hex');
  return `rspauth=${md5(`${session}:n0:00000001:${cnonce}:auth:${target}`).toString('hex')}`;
}

/** Goes through the whole exchange on the present connection. */
async function authenticate(client: FakeClient): Promise<void> {
  await client.ports.stream.welcome();
  const first = nextToken(client);
  assert.equal(first.token, '', 'DIGEST-MD5 has no initial response');
  await answer(client, first.xid, challenge);
  const second = nextToken(client);
  assert.match(second.token, /^charset=utf-8,username="bob",realm="zk-sasl-md5",/);
  assert.equal(client.ports.stream.unseen, 0, 'nothing leaves before the server has agreed');
  await answer(client, second.xid, proofOfServer());
}

test('SASL comes first, then credentials, watches and calls; on every connection', async () => {
  const auth = [{ scheme: 'digest', auth: 'alice:secret' }];
  const client = fakeClient({ sasl, auth });
  const { zk, ports, states } = client;
  const exists = zk.exists('/a', { watch: () => {} });
  await ports.pass(0);
  await authenticate(client);
  assert.deepEqual(states, ['connected']);
  assert.equal(ports.stream.next().opcode, OpCode.auth);
  ports.stream.reply(-4);
  const seen = ports.stream.next();
  assert.equal(seen.opcode, OpCode.exists);
  ports.stream.reply(seen.xid, 0, writeTestStat);
  await exists;
  await ports.stream.fail();
  const again = zk.exists('/b').catch(() => {});
  await ports.pass(1000);
  await authenticate(client);
  const opcodes = [ports.stream.next(), ports.stream.next(), ports.stream.next()];
  assert.deepEqual(
    opcodes.map(({ opcode }) => opcode),
    [OpCode.auth, OpCode.setWatches, OpCode.exists],
  );
  assert.ok(zk.state.status === 'connected' && zk.state.resumed);
  await zk.close({ keepSession: true });
  await again;
});

for (const code of [ErrorCode.authFailed, ErrorCode.sessionClosedRequireSaslAuth]) {
  test(`a refusal (${code}) is final, and says why`, async () => {
    const client = fakeClient({ sasl });
    const { zk, ports, states } = client;
    const call = zk.exists('/a').catch((error: unknown) => error);
    const connected = zk.connected().catch((error: unknown) => error);
    await ports.pass(0);
    await ports.stream.welcome();
    await answer(client, nextToken(client).xid, challenge);
    await answer(client, nextToken(client).xid, null, code);
    assert.deepEqual(states, ['authFailed']);
    for (const error of await Promise.all([call, connected])) {
      assert.ok(error instanceof AuthFailedError);
      assert.ok(error.cause instanceof SaslError);
    }
    assert.ok(ports.stream.isClosed);
  });
}

test('a server without SASL, or without the password, is final too', async () => {
  const without = fakeClient({ sasl });
  await without.ports.pass(0);
  await without.ports.stream.welcome();
  await answer(without, nextToken(without).xid, null);
  assert.deepEqual(without.states, ['authFailed']);
  const impostor = fakeClient({ sasl });
  await impostor.ports.pass(0);
  await impostor.ports.stream.welcome();
  await answer(impostor, nextToken(impostor).xid, challenge);
  await answer(impostor, nextToken(impostor).xid, 'rspauth=0123');
  assert.deepEqual(impostor.states, ['authFailed']);
});

test('silence, a wrong number, another code or half an answer drop the connection', async () => {
  const wrong: ((client: FakeClient, xid: number) => Promise<void>)[] = [
    (client) => client.ports.pass(9000),
    (client, xid) => answer(client, xid + 1, challenge),
    (client, xid) => answer(client, xid, challenge, ErrorCode.systemError),
    async (client, xid) => {
      client.ports.stream.reply(xid, 0, (writer) => writer.writeInt(1000));
      await turn();
    },
    (client) => client.ports.stream.fail(),
  ];
  for (const act of wrong) {
    const client = fakeClient({ sasl, reconnectJitterMs: 0 }, 'one:1,two:2');
    await client.ports.pass(0);
    await client.ports.stream.welcome();
    await act(client, nextToken(client).xid);
    assert.equal(client.zk.state.status, 'connecting');
    await client.ports.pass(10);
    assert.equal(client.ports.transport.streams.length, 2, 'the other server is dialed');
    await client.zk.close();
  }
});

test('close() in the middle settles everything', async () => {
  const client = fakeClient({ sasl });
  const call = outcome(client.zk.exists('/a'));
  await client.ports.pass(0);
  await client.ports.stream.welcome();
  await client.zk.close();
  assert.equal(await call, 'SessionExpiredError');
});

test('options that no server takes are refused, without the password in the message', () => {
  for (const wrong of [{ username: '', password: 'hidden' }, { username: 'bob' }]) {
    assert.throws(
      () => fakeClient({ sasl: wrong as typeof sasl }),
      (error) => error instanceof BadArgumentsError && !error.message.includes('hidden'),
    );
  }
});
