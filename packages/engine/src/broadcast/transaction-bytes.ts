/** Where things stand in the bytes of a transaction: TxnHeader (clientId, cxid, zxid, time, type), then the record. */
import { decodeUtf8, JuteReader } from '@meerkat/protocol';

/** Bytes of a TxnHeader: no transaction is shorter. */
export const transactionBytesMin = 32;

/** The zxid of a transaction, whole or not. */
export function zxidIn(bytes: Uint8Array, start: number): number {
  return int32At(bytes, start + 12) * two32 + (int32At(bytes, start + 16) >>> 0);
}

/** The operation code of a transaction. */
export function typeIn(bytes: Uint8Array, start: number): number {
  return int32At(bytes, start + 28);
}

/** The configuration that a reconfiguration puts in force: the data behind the path. Throws JuteError. */
export function configTextIn(bytes: Uint8Array, start: number, end: number): string {
  const reader = new JuteReader(bytes, start + transactionBytesMin, end);
  reader.skipBuffer();
  const data = reader.readBuffer();
  return data === null ? '' : decodeUtf8(data, 0, data.length);
}

/** Four bytes, signed. For single fields of every transaction, which are not worth a view each. */
export function int32At(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}

const two32 = 4294967296;
