import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionTable } from './session-table.ts';

function idsOf(serverId: number, clockMs: number, count: number): string[] {
  const table = new SessionTable(2000);
  table.startIds(serverId, clockMs);
  return Array.from({ length: count }, () => {
    const { idHi, idLo } = table.create(10_000, 0);
    return (BigInt(idHi >>> 0) * 2n ** 32n + BigInt(idLo >>> 0)).toString(16).padStart(16, '0');
  });
}

/** `SessionTrackerImpl.initializeNextSessionId`, in 64-bit integers. */
function firstOf(serverId: number, clockMs: number): string {
  const clock = (BigInt.asUintN(64, BigInt(clockMs) << 24n) >> 8n) & 0xffffffffffffffn;
  return (BigInt.asUintN(64, BigInt(serverId) << 56n) | clock).toString(16).padStart(16, '0');
}

test('the first id is the server and the low 40 bits of its clock, then they go up', () => {
  for (const serverId of [0, 1, 5, 127, 128, 254]) {
    for (const clockMs of [0, 1, 65_535, 65_536, 1_699_999_999_999, 2 ** 40 - 1, 2 ** 40 + 5]) {
      const first = firstOf(serverId, clockMs);
      if (/^(0+|80+)$/.test(first)) continue;
      const second = (BigInt(`0x${first}`) + 1n).toString(16).padStart(16, '0');
      assert.deepEqual(idsOf(serverId, clockMs, 2), [first, second]);
    }
  }
});

test('the id that stands for containers is never given', () => {
  assert.deepEqual(idsOf(128, 0, 1), ['8000000000000001']);
});

test('ids carry over from the low half to the high one', () => {
  const table = new SessionTable(2000);
  table.startIds(1, 65_535);
  for (let i = 0; i < 65_536; i++) table.create(10_000, 0);
  const { idHi, idLo } = table.create(10_000, 0);
  assert.deepEqual([idHi, idLo], [0x01000001, 0]);
});

test('an id that a log or a snapshot told of is passed over', () => {
  const table = new SessionTable(2000);
  table.startIds(1, 1000);
  table.restore(0x01000000, 1000 << 16, 5000);
  table.restore(0x01000000, (1000 << 16) + 1, 5000);
  assert.equal(table.create(10_000, 0).idLo, (1000 << 16) + 2);
  assert.equal(table.count, 3);
});
