import { JuteError } from './jute-error.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Names are short: below this many bytes a plain loop beats the decoder's call. */
const shortBytesMax = 64;

/**
 * Text from UTF-8 bytes, strictly: a malformed sequence is refused, as Java's decoder refuses it.
 *
 * @throws JuteError when the bytes are not UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= shortBytesMax) {
    let text = '';
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte > 0x7f) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  try {
    return strict.decode(bytes.subarray(start, end));
  } catch {
    throw new JuteError(`Cannot read a string: ${end - start} bytes are not UTF-8`);
  }
}

/**
 * Where `bytes[start, end)` stop being UTF-8 as strict decoders read it, -1 when they never do:
 * no overlong forms, no surrogates, nothing beyond U+10FFFF.
 */
export function malformedUtf8At(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; ) {
    const length = utf8SequenceBytes(bytes, at, end);
    if (length === 0) return at;
    at += length;
  }
  return -1;
}

/** How many bytes the well-formed UTF-8 sequence at `at` has, 0 when there is none. */
export function utf8SequenceBytes(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = bytes[at + 1] as number;
  // The second byte is narrower after those leads that could spell overlong forms, surrogates or too much.
  const secondMin = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const secondMax = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < secondMin || second > secondMax) return 0;
  for (let i = at + 2; i < at + length; i++) {
    if (((bytes[i] as number) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** The bytes that `encodeUtf8` writes for `text`. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
  }
  return bytes;
}

/**
 * Writes `text` at `at` as Java's `BinaryOutputArchive.stringToByteBuffer` does: every UTF-16 code
 * unit by itself, so a character beyond the basic plane becomes two times three bytes (CESU-8).
 *
 * @returns where the text ends; the caller has made room for `utf8Bytes(text)`
 */
export function encodeUtf8(text: string, target: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      target[at++] = unit;
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >> 6);
      target[at++] = 0x80 | (unit & 0x3f);
    } else {
      target[at++] = 0xe0 | (unit >> 12);
      target[at++] = 0x80 | ((unit >> 6) & 0x3f);
      target[at++] = 0x80 | (unit & 0x3f);
    }
  }
  return at;
}

/** `text` as bytes of its own. */
export function utf8(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Bytes(text));
  encodeUtf8(text, bytes, 0);
  return bytes;
}
