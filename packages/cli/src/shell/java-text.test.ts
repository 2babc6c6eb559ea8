import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDate, formatHexDump, formatId, formatList } from './java-text.ts';

test('dates as java.util.Date prints them', () => {
  const winter = Date.UTC(2026, 0, 5, 3, 4, 5);
  const summer = Date.UTC(2026, 6, 5, 23, 4, 5);
  assert.equal(formatDate(winter, 'UTC'), 'Mon Jan 05 03:04:05 UTC 2026');
  assert.equal(formatDate(winter, 'Europe/Berlin'), 'Mon Jan 05 04:04:05 CET 2026');
  assert.equal(formatDate(summer, 'Europe/Berlin'), 'Mon Jul 06 01:04:05 CEST 2026');
  assert.equal(formatDate(summer, 'America/New_York'), 'Sun Jul 05 19:04:05 EDT 2026');
  assert.equal(formatDate(summer, 'Asia/Shanghai'), 'Mon Jul 06 07:04:05 CST 2026');
  assert.equal(formatDate(0, 'UTC'), 'Thu Jan 01 00:00:00 UTC 1970');
});

test('a hexadecimal dump', () => {
  assert.equal(formatHexDump(new Uint8Array(0)), '');
  const line = `+--------+${'-'.repeat(49)}+----------------+`;
  assert.deepEqual(formatHexDump(Buffer.from('ZooKeeper\n\u007f is here!')).split('\n'), [
    `         +${'-'.repeat(49)}+`,
    '         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |',
    line,
    '|00000000| 5a 6f 6f 4b 65 65 70 65 72 0a 7f 20 69 73 20 68 |ZooKeeper.. is h|',
    '|00000010| 65 72 65 21                                     |ere!            |',
    line,
  ]);
});

test('ids and lists', () => {
  assert.equal(formatId('digest', 'u,1:p%}'), "'digest,'u%2C1:p%25%7D\n");
  assert.equal(formatList(['a', 'b']), '[a, b]');
  assert.equal(formatList([]), '[]');
});
