import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { DigestMd5, SaslError } from './digest-md5.ts';
import { md5, toHex } from './md5.ts';

const random = { below: (bound: number) => bound - 1 };
const cnonce = 'f'.repeat(32);
const challenge = 'realm="zk-sasl-md5",nonce="n0",charset=utf-8,algorithm=md5-sess';

const hash = (...parts: readonly (string | Buffer)[]): Buffer => {
  const digest = createHash('md5');
  for (const part of parts) digest.update(part);
  return digest.digest();
};

/** The proof of RFC 2831, with Node's own MD5. */
function proof(secret: Buffer, nonce: string, action: string): string {
  const session = hash(secret, `:${nonce}:${cnonce}`).toString('hex');
  const target = hash(`${action}:zookeeper/zk-sasl-md5`).toString('hex');
  return hash(`${session}:${nonce}:00000001:${cnonce}:auth:${target}`).toString('hex');
}

test('md5() is what Node says it is, at every length round the block size', () => {
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff);
    assert.equal(toHex(md5(bytes)), createHash('md5').update(bytes).digest('hex'), `${length}`);
  }
});

test('a challenge is answered as RFC 2831 says, and the server must prove itself', () => {
  const exchange = new DigestMd5({ username: 'bob', password: 'secret' }, random);
  const answer = Buffer.from(exchange.step(Buffer.from(challenge)) ?? []).toString();
  const secret = hash('bob:zk-sasl-md5:secret');
  assert.equal(
    answer,
    `charset=utf-8,username="bob",realm="zk-sasl-md5",nonce="n0",nc=00000001,cnonce="${cnonce}",` +
      `digest-uri="zookeeper/zk-sasl-md5",maxbuf=65536,response=${proof(secret, 'n0', 'AUTHENTICATE')},qop=auth`,
  );
  assert.equal(exchange.step(Buffer.from(`rspauth=${proof(secret, 'n0', '')}`)), null);
});

test('a server that does not know the password is not believed', () => {
  const exchange = new DigestMd5({ username: 'bob', password: 'secret' }, random);
  exchange.step(Buffer.from(challenge));
  const wrong = proof(hash('bob:zk-sasl-md5:other'), 'n0', '');
  assert.throws(() => exchange.step(Buffer.from(`rspauth=${wrong}`)), SaslError);
});

test('names and passwords outside of Latin-1 are hashed as UTF-8, within it as Latin-1', () => {
  const exchange = new DigestMd5({ username: 'bé"b', password: '密' }, random);
  const answer = Buffer.from(exchange.step(Buffer.from(challenge)) ?? []).toString();
  const user = Buffer.from('bé"b', 'latin1');
  const secret = hash(user, ':zk-sasl-md5:', Buffer.from('密', 'utf8'));
  assert.ok(answer.includes('username="bé\\"b"'));
  assert.ok(answer.includes(`response=${proof(secret, 'n0', 'AUTHENTICATE')}`));
});

for (const [name, text] of [
  ['none, from a server without SASL', ''],
  ['one without a nonce', 'algorithm=md5-sess'],
  ['one of another algorithm', 'nonce="n",algorithm=sha'],
  ['one that demands encryption', 'nonce="n",algorithm=md5-sess,qop="auth-conf"'],
  ['one that ends in a quote', 'nonce="n'],
  ['noise', '\u0000\u00ff,,,='],
] as const) {
  test(`a challenge is refused: ${name}`, () => {
    const exchange = new DigestMd5({ username: 'bob', password: 'secret' }, random);
    assert.throws(() => exchange.step(Buffer.from(text, 'latin1')), SaslError);
  });
}

test('a challenge of quotes and commas takes no time to refuse', () => {
  const exchange = new DigestMd5({ username: 'bob', password: 'secret' }, random);
  const noise = `nonce="${'\\"a,='.repeat(100_000)}`;
  assert.throws(() => exchange.step(Buffer.from(noise)), SaslError);
});
