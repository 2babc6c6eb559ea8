import { BadArgumentsError } from '../errors.ts';

/** Data to store: bytes, text (stored as UTF-8), or null (which ZooKeeper keeps apart from empty). */
export type Data = Uint8Array | string | null;

/**
 * Bytes of the data.
 *
 * @throws BadArgumentsError when it is neither bytes, text nor null
 */
export function toBytes(data: Data): Uint8Array | null {
  if (data === null || data instanceof Uint8Array) return data;
  return encoder.encode(data);
}

/** @throws BadArgumentsError when the data is neither bytes, text nor null */
export function validateData(data: Data, doing: string, path: string): void {
  if (data === null || data instanceof Uint8Array || typeof data === 'string') return;
  throw new BadArgumentsError({
    path,
    message: `Cannot ${doing} ${path}: current value is ${typeof data} data, and it must be bytes, a string or null`,
  });
}

/** @throws BadArgumentsError when the version is not a 32-bit whole number */
export function validateVersion(version: number, doing: string, path: string): void {
  if (Number.isInteger(version) && version >= -0x80000000 && version <= 0x7fffffff) return;
  throw new BadArgumentsError({
    path,
    message: `Cannot ${doing} ${path}: current value is version ${version}, and a version must be a whole number of 32 bits, -1 for any`,
  });
}

/** The version that means any (`-1`). */
export const anyVersion = -1;

const encoder = new TextEncoder();
