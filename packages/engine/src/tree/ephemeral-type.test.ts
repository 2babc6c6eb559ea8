import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  containerOwner,
  EphemeralOwnerError,
  isEphemeralOwner,
  NodeKind,
  nodeKindOf,
  ttlMaxMs,
  ttlMsOf,
  ttlOwner,
} from './ephemeral-type.ts';

const plain = { extendedTypesEnabled: false, emulate353TtlNodes: false };
const extended = { extendedTypesEnabled: true, emulate353TtlNodes: false };
const emulated = { extendedTypesEnabled: true, emulate353TtlNodes: true };

test('nothing, sessions and containers are the same in all encodings (ZB 2, Containers)', () => {
  for (const options of [plain, extended, emulated]) {
    assert.equal(nodeKindOf(0, 0, options), NodeKind.persistent);
    assert.equal(nodeKindOf(0x100000a, 5, options), NodeKind.ephemeral);
    assert.equal(nodeKindOf(0, 5, options), NodeKind.ephemeral);
    assert.equal(nodeKindOf(containerOwner.hi, containerOwner.lo, options), NodeKind.container);
    assert(isEphemeralOwner(0x7e000001, -1, options));
  }
});

test('a top byte of 0xff is a TTL of 40 bits, when extended types are on (ZB 2, TTL)', () => {
  const owner = ttlOwner(0xff, -1);
  assert.deepEqual(owner, { hi: 0xff0000ff | 0, lo: -1 });
  assert.equal(ttlMsOf(0xff0000ff | 0, -1), ttlMaxMs);
  assert.equal(nodeKindOf(0xff0000ff | 0, -1, extended), NodeKind.ttl);
  assert.equal(nodeKindOf(0xff0000ff | 0, -1, plain), NodeKind.ephemeral);
  assert.equal(ttlMsOf(0xff000000 | 0, 5000), 5000);
});

test('a TTL is more than 0 and at most 40 bits (EphemeralType.TTL.toEphemeralOwner)', () => {
  assert.equal(ttlOwner(0, 0), null);
  assert.equal(ttlOwner(-1, -1), null);
  assert.equal(ttlOwner(0x100, 0), null);
  assert.deepEqual(ttlOwner(0, 1), { hi: 0xff000000 | 0, lo: 1 });
});

test('unknown feature bits are an error (ZB 2, Unknown feature bits)', () => {
  assert.throws(() => nodeKindOf(0xff000100 | 0, 0, extended), EphemeralOwnerError);
  assert.throws(() => nodeKindOf(-1, -1, extended), /0xffffffffffffffff/);
  assert.equal(nodeKindOf(-1, -1, plain), NodeKind.ephemeral);
});

test('as 3.5.3 had it, every negative owner but the container is a TTL (ZB 2, 3.5.3 emulation)', () => {
  assert.equal(nodeKindOf(-0x80000000, 100, emulated), NodeKind.ttl);
  assert.equal(nodeKindOf(-1, -1, emulated), NodeKind.ttl);
  assert.equal(nodeKindOf(-0x80000000, 100, extended), NodeKind.ephemeral);
  const withoutExtended = { extendedTypesEnabled: false, emulate353TtlNodes: true };
  assert.equal(nodeKindOf(-0x80000000, 100, withoutExtended), NodeKind.ephemeral);
});
