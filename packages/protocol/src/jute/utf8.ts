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
