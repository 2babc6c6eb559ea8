/** Where things stand in the bytes of a transaction: TxnHeader (clientId, cxid, zxid, time, type), then the record. */
import { decodeUtf8, JuteReader } from '@meerkat/protocol';

/** Bytes of a TxnHeader: no transaction is shorter. */
export const transactionBytesMin = 32;

/** The zxid of a transaction, whole or not. */
export function zxidIn(bytes: Uint8Array, start: number): number {
  const view = viewOf(bytes);
  return view.getInt32(start + 12) * two32 + view.getUint32(start + 16);
}

/** The operation code of a transaction. */
export function typeIn(bytes: Uint8Array, start: number): number {
  return viewOf(bytes).getInt32(start + 28);
}

/** The configuration that a reconfiguration puts in force: the data behind the path. Throws JuteError. */
export function configTextIn(bytes: Uint8Array, start: number, end: number): string {
  const reader = new JuteReader(bytes, start + transactionBytesMin, end);
  reader.skipBuffer();
  const data = reader.readBuffer();
  return data === null ? '' : decodeUtf8(data, 0, data.length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const two32 = 4294967296;
