import { JuteError, type JuteReader } from '@meerkat/protocol';
import { type NodeId, noNode, rootNode, type Tree } from '../tree/tree.ts';

/**
 * Paths of requests as ranges of bytes. Owns the few checks that ZooKeeper makes before it looks
 * a path up; makes no strings of plain paths.
 */

/** Where a path lies in the bytes of its reader. */
export interface PathRange {
  start: number;
  end: number;
}

/**
 * Moves past a path and notes where it lies. Malformed UTF-8 is not looked for: Java reads it as U+FFFD,
 * which no valid path holds.
 *
 * @throws JuteError when the path is null, or longer than what is left
 */
export function readPath(reader: JuteReader, range: PathRange): void {
  const length = reader.skipBuffer();
  if (length === -1) throw new JuteError('Cannot read a path: current value is null');
  const end = reader.position;
  range.start = end - length;
  range.end = end;
}

/** Where the last slash lies, -1 when there is none or the path holds a NUL (`validatePathForCreate`). */
export function lastSlash(bytes: Uint8Array, start: number, end: number): number {
  let slash = -1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === 0x2f) slash = at;
    else if (byte === 0) return -1;
  }
  return slash;
}

/** The znode at a path that need not be valid; one that is not names none, but the empty one the root. */
export function findZnode(tree: Tree, bytes: Uint8Array, start: number, end: number): NodeId {
  if (start === end) return rootNode;
  return bytes[start] === 0x2f ? tree.find(bytes, start, end) : noNode;
}
