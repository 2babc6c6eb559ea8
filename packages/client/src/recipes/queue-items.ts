import { DataInconsistencyError } from '../errors.ts';
import { type Data, toBytes } from '../operations/values.ts';

/*
 * What a znode of Curator's queues holds (`ItemSerializer.java`), integers with the highest byte first:
 *
 *   00 01 00 01                      version
 *   01  <length, 4 bytes>  <bytes>   an item, as often as there are items
 *   02                               the end
 */

const version = 0x00010001;
const itemMark = 1;
const endMark = 2;

/** The bytes of a znode with these items. Null is stored as no bytes. */
export function encodeItems(items: readonly Data[]): Uint8Array {
  const all = items.map((item) => toBytes(item) ?? new Uint8Array(0));
  const length = all.reduce((sum, { length }) => sum + 5 + length, 5);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, version);
  let at = 4;
  for (const item of all) {
    bytes[at] = itemMark;
    view.setInt32(at + 1, item.length);
    bytes.set(item, at + 5);
    at += 5 + item.length;
  }
  bytes[at] = endMark;
  return bytes;
}

/** The items of a znode. @throws DataInconsistencyError when the bytes are not a queue's */
export function decodeItems(bytes: Uint8Array | null, path: string): Uint8Array[] {
  if (bytes === null || bytes.length < 5) throw broken(path, `${bytes?.length ?? 0} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getInt32(0) !== version) throw broken(path, `version ${view.getInt32(0)}`);
  const items: Uint8Array[] = [];
  for (let at = 4; ; ) {
    const mark = bytes[at];
    if (mark === endMark) return items;
    if (mark !== itemMark || at + 5 > bytes.length) throw broken(path, `mark ${mark} at ${at}`);
    const length = view.getInt32(at + 1);
    if (length < 0 || at + 5 + length > bytes.length) throw broken(path, `a length of ${length}`);
    items.push(bytes.slice(at + 5, at + 5 + length));
    at += 5 + length;
  }
}

function broken(path: string, value: string): DataInconsistencyError {
  return new DataInconsistencyError({
    path,
    message: `Cannot read the items of ${path}: current value is ${value}, which no queue has written`,
  });
}
