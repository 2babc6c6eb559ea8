import { counterOf, epochOf, type JuteWriter, type Zxid } from '@meerkat/protocol';

/**
 * The bytes of a transaction log file (`FileTxnLog.java`, `FilePadding.java`). Wire format: do not change.
 *
 * ```
 * file   = header record* zeros
 * header = "ZKLG" int version=2 long dbid=0                               16 bytes
 * record = long Adler-32 of body, int length of body, body, 'B'           13 bytes and the body
 * body   = TxnHeader{long clientId, int cxid, long zxid, long time, int type} txn [TxnDigest]
 * ```
 *
 * Files are extended in steps of `preAllocSize`, so a file ends with zeros: a record whose checksum and
 * length are both zero is the end.
 */

/** "ZKLG". */
export const logMagic = 0x5a4b4c47;

/** The version in the header of log and snapshot files. */
export const fileVersion = 2;

/** Bytes of a file header: magic, version, dbid. */
export const fileHeaderBytes = 16;

/** Bytes before the body of a record: Adler-32 as a long, length as an int. */
export const recordHeadBytes = 12;

/** The byte after each body. */
export const recordEnd = 0x42;

/** The shortest body: a TxnHeader. */
export const bodyBytesMin = 32;

/** Where the zxid stands in a body: after clientId and cxid. */
export const zxidInBody = 12;

/** A file is extended when less than this is left (`FilePadding.java`). */
export const paddingRoomBytes = 4096;

/** Writes the header of a log file. */
export function writeLogHeader(writer: JuteWriter): void {
  writer.writeInt(logMagic);
  writer.writeInt(fileVersion);
  writer.writeLong(0, 0);
}

/**
 * Whether nothing can be missing between two transactions: zxids count up within an epoch and begin
 * at 1 in a new one.
 */
export function follows(before: Zxid, next: Zxid): boolean {
  return next === before + 1 || (epochOf(next) > epochOf(before) && counterOf(next) === 1);
}
