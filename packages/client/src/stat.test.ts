import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { JuteError, JuteReader, JuteWriter } from '@meerkat/protocol';
import type { SessionId, Zxid } from './ids.ts';
import { Stat, statBytes, takeStat } from './stat.ts';
import { writeTestStat } from './testing/fake-ports.ts';

const writer = new JuteWriter();
writer.writeByte(1);
writeTestStat(writer);

test('a Stat reads its fields where they lie', () => {
  const reader = new JuteReader(writer.toBytes(), 1);
  const stat = takeStat(reader);
  assert.equal(reader.remaining, 0);
  assert.equal(writer.length, 1 + statBytes);
  assert.deepEqual(stat.toObject(), {
    czxid: 101n,
    mzxid: 102n,
    ctimeMs: 1_700_000_000_001,
    mtimeMs: 1_700_000_000_002,
    version: 3,
    cversion: 4,
    aversion: 5,
    ephemeralOwner: BigInt.asIntN(64, 0xfffffffe_00000007n),
    dataLength: 6,
    numChildren: 8,
    pzxid: 0x1_0000_0009n,
  });
  assert.equal(stat.toJSON().ephemeralOwner, '0xfffffffe00000007');
  assert.match(inspect(stat), /czxid: 101n/);
});

test('a Stat that is cut short is refused', () => {
  assert.throws(() => takeStat(new JuteReader(writer.toBytes(), 2)), JuteError);
});

test('ids know what they are ids of, as far as the compiler goes', () => {
  const stat = new Stat(new Uint8Array(68), 0);
  const zxid: Zxid = stat.czxid;
  const plain: bigint = stat.ephemeralOwner;
  const given: SessionId = 0x1234n;
  // @ts-expect-error a session is no transaction
  const wrong: Zxid = stat.ephemeralOwner;
  assert.deepEqual([zxid, plain, given, wrong], [0n, 0n, 0x1234n, 0n]);
});
