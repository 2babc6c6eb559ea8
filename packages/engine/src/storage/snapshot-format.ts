import type { JuteReader, JuteWriter, Zxid } from '@meerkat/protocol';

/**
 * The bytes of a snapshot (`FileSnap.java`, `SerializeUtils.java`, `DataTree.java`). Wire format: do not
 * change.
 *
 * ```
 * header   "ZKSN" int version=2 long dbid=-1
 * sessions int count, {long id, int timeout}*
 * ACLs     int count, {long id, vector of ACL}*
 * nodes    {ustring path, DataNode}*, parents first, the root with path ""; then ustring "/"
 * seal     long Adler-32 of all bytes before it, ustring "/"
 * digest   [long zxid, int version, long digest (a ustring when version < 2); seal]
 * zxid     [long last processed zxid; seal]
 * DataNode = buffer data, long aclId, StatPersisted (60 bytes)
 * ```
 *
 * The last two sections depend on settings of the writer, and Java's reader looks for what its own
 * settings say; ours looks at what is there. The zxid in the file name is the last transaction that
 * was applied before the walk over the tree began; what was applied during the walk is partly in
 * the file, and the log from that zxid on makes it whole.
 */

/** "ZKSN". */
export const snapshotMagic = 0x5a4b534e;

/** Bytes of one session: id and timeout. */
export const sessionBytes = 12;

/** Bytes of a DataNode after its data: aclId and StatPersisted. */
export const nodeTailBytes = 68;

/** Bytes of a seal: Adler-32 as a long, the string "/". */
export const sealBytes = 13;

/** Bytes of the digest section without its seal, since digest version 2. */
export const digestBytes = 20;

/** Bytes of the zxid section without its seal. */
export const zxidBytes = 8;

/** The last bytes of every whole snapshot: the string "/". */
export const snapshotEnd: readonly number[] = [0, 0, 0, 1, 0x2f];

/** The digest of the tree that a snapshot carries, for the transaction `zxid`; 0 when there is none. */
export interface SnapshotDigest {
  readonly zxid: Zxid;
  readonly version: number;
  readonly digestHi: number;
  readonly digestLo: number;
}

/** What a snapshot is written from: the sessions and the tree, while both go on changing. */
export interface SnapshotSource {
  /** The last transaction applied. Asked before the walk, for the name, and after it. */
  lastZxid(): Zxid;
  /** Writes the sessions: int count, then long id and int timeout of each. */
  writeSessions(writer: JuteWriter): void;
  /** Writes the ACL table: int count, then long id and ACL vector of each. */
  writeAcls(writer: JuteWriter): void;
  /** Begins a walk over the znodes. */
  openCursor(): SnapshotCursor;
  /** The digest after the last transaction applied, asked after the walk; null when none is kept. */
  digest(): SnapshotDigest | null;
}

/** A walk over the znodes, parents before children; changes to the tree between two calls are allowed. */
export interface SnapshotCursor {
  /** Writes path and DataNode of the next znode. False: there is none, nothing was written. */
  writeNext(writer: JuteWriter): boolean;
  /** Ends the walk early. */
  close(): void;
}

/** What a snapshot is read into. Each may throw `JuteError`: the snapshot is damaged. */
export interface SnapshotTarget {
  /** Forgets everything: a snapshot follows, or one that was read in part turned out damaged. */
  reset(): void;
  loadSession(idHi: number, idLo: number, timeoutMs: number): void;
  /** Reads the whole ACL table, as `SnapshotSource.writeAcls` writes it. */
  loadAcls(reader: JuteReader): void;
  /** Takes one znode: path and DataNode are `bytes[start, end)`, valid only during the call. */
  loadNode(bytes: Uint8Array, start: number, end: number): void;
  /** All znodes were loaded. `digest` is null when the snapshot has none, or an empty one. */
  finishLoad(zxid: Zxid, digest: SnapshotDigest | null): void;
}

/** Writes a file header of a snapshot. */
export function writeSnapshotHeader(writer: JuteWriter): void {
  writer.writeInt(snapshotMagic);
  writer.writeInt(2);
  writer.writeLong(-1, -1);
}
