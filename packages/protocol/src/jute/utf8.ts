const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Names are short: below this many bytes a plain loop beats the decoder's call. */
const shortBytesMax = 64;

/**
 * Text from UTF-8 bytes, as Java's `new String(bytes, UTF_8)` makes it: what is malformed becomes
 * U+FFFD, and so does each surrogate that Java's own encoder writes as three bytes.
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
    return decodeMalformed(bytes, start, end);
  }
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
    if (!isContinuation(bytes[i])) return 0;
  }
  return length;
}

/** Decodes bytes that are not all UTF-8. */
function decodeMalformed(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let wellFormedFrom = start;
  for (let at = start; at < end; ) {
    const length = utf8SequenceBytes(bytes, at, end);
    if (length > 0) {
      at += length;
      continue;
    }
    text += `${strict.decode(bytes.subarray(wellFormedFrom, at))}\ufffd`;
    at += malformedBytes(bytes, at, end);
    wellFormedFrom = at;
  }
  return text + strict.decode(bytes.subarray(wellFormedFrom, end));
}

/** How many bytes of what is malformed at `at` Java replaces by one U+FFFD (the JDK's `String`). */
function malformedBytes(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const second = bytes[at + 1] as number;
  const isBadSecond =
    !isContinuation(second) ||
    (lead === 0xe0 && second < 0xa0) ||
    (lead === 0xf0 && second < 0x90) ||
    (lead === 0xf4 && second > 0x8f);
  if (length === 2 || lead > 0xf4) return 1;
  if (at + 1 < end && isBadSecond) return 1;
  // A surrogate is whole; what the end of the text cuts off goes as one.
  if (length === 3)
    return at + 2 < end && !isContinuation(bytes[at + 2]) ? 2 : Math.min(3, end - at);
  if (at + 2 < end && !isContinuation(bytes[at + 2])) return 2;
  return Math.min(3, end - at);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
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
