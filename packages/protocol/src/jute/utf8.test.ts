import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeUtf8, utf8SequenceBytes } from './utf8.ts';

/** What `new String(bytes, UTF_8)` of JDK 17 says: bytes, then UTF-16 code units, in hexadecimal. */
const decodedByJava: Readonly<Record<string, string>> = {
  '61': '0061',
  c3bc: '00fc',
  e78cab: '732b',
  f09f9880: 'd83dde00',
  efbbbf61: 'feff0061',
  '80': 'fffd',
  bf61: 'fffd0061',
  c0af: 'fffdfffd',
  c1bf: 'fffdfffd',
  c3: 'fffd',
  c361: 'fffd0061',
  c328: 'fffd0028',
  e0: 'fffd',
  e09fbf: 'fffdfffdfffd',
  e0a0: 'fffd',
  e282: 'fffd',
  e28261: 'fffd0061',
  e28228: 'fffd0028',
  eda080: 'fffd',
  edbfbf: 'fffd',
  eda0bdedb880: 'fffdfffd',
  eda0: 'fffd',
  ed: 'fffd',
  f0: 'fffd',
  f09f: 'fffd',
  f09f98: 'fffd',
  f09f9861: 'fffd0061',
  f09f6161: 'fffd00610061',
  f0616161: 'fffd006100610061',
  f08fbfbf: 'fffdfffdfffdfffd',
  f48fbfbf: 'dbffdfff',
  f4908080: 'fffdfffdfffdfffd',
  f580: 'fffdfffd',
  f5808080: 'fffdfffdfffdfffd',
  f8888080: 'fffdfffdfffdfffd',
  fc: 'fffd',
  fe: 'fffd',
  ff61: 'fffd0061',
  c3bcffc3bc: '00fcfffd00fc',
  e78cabc0f09f9880: '732bfffdd83dde00',
};

test('malformed bytes become U+FFFD exactly as in Java', () => {
  for (const [hex, units] of Object.entries(decodedByJava)) {
    const bytes = Uint8Array.from(Buffer.from(`61${hex}`, 'hex'));
    const text = decodeUtf8(bytes, 1, bytes.length);
    const decoded = Array.from({ length: text.length }, (_, i) =>
      text.charCodeAt(i).toString(16).padStart(4, '0'),
    );
    assert.equal(decoded.join(''), units, hex);
  }
});

test('any bytes decode; well-formed ones as every decoder has them', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      let expected: string | undefined;
      try {
        expected = strict.decode(bytes);
      } catch {
        expected = undefined;
      }
      const text = decodeUtf8(bytes, 0, bytes.length);
      if (expected === undefined) assert.ok(text.includes('\ufffd'));
      else assert.equal(text, expected);
      assert.equal(isWellFormed(bytes), expected !== undefined);
    }),
    { numRuns: 2000 },
  );
});

function isWellFormed(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const length = utf8SequenceBytes(bytes, at, bytes.length);
    if (length === 0) return false;
    at += length;
  }
  return true;
}
