import { BadArgumentsError, DataInconsistencyError } from '../errors.ts';

/** Four bytes, the highest first, as Java's `ByteBuffer.putInt`. @throws BadArgumentsError when it is no 32-bit number */
export function encodeInteger(value: number, path: string): Uint8Array {
  if (!Number.isInteger(value) || value < -0x80000000 || value > 0x7fffffff) {
    throw new BadArgumentsError({
      path,
      message: `Cannot store a number in ${path}: current value is ${value}, and it must be a whole number of 32 bits`,
    });
  }
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
}

/** Reads what `encodeInteger` wrote; nothing reads as 0. @throws DataInconsistencyError when it is not that long */
export function decodeInteger(bytes: Uint8Array | null, path: string): number {
  return viewOf(bytes, 4, path)?.getInt32(0) ?? 0;
}

/** Eight bytes, the highest first, as Java's `ByteBuffer.putLong`; wraps around as Java does. */
export function encodeLong(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value);
  return bytes;
}

/** Reads what `encodeLong` wrote; nothing reads as 0n. @throws DataInconsistencyError when it is not that long */
export function decodeLong(bytes: Uint8Array | null, path: string): bigint {
  return viewOf(bytes, 8, path)?.getBigInt64(0) ?? 0n;
}

function viewOf(bytes: Uint8Array | null, length: number, path: string): DataView | null {
  if (bytes === null || bytes.length === 0) return null;
  if (bytes.length === length) return new DataView(bytes.buffer, bytes.byteOffset, length);
  throw new DataInconsistencyError({
    path,
    message: `Cannot read a number from ${path}: current value is ${bytes.length} bytes, and it must be ${length}`,
  });
}
