import type {
  RecoveryState,
  SnapshotCursor,
  SnapshotDigest,
  SnapshotSource,
  TransactionLog,
} from '@meerkat/engine';
import { asZxid, JuteReader, type JuteWriter, writeTxnHeader, type Zxid } from '@meerkat/protocol';

/** Paths that the model's transactions write to, so that later ones overwrite earlier ones. */
const pathCount = 40;

/**
 * The smallest state that shows whether storage is right: each transaction sets one znode to its own
 * zxid. Two states are equal when they went through the same transactions, in whatever way.
 */
export class ModelState implements RecoveryState, SnapshotSource {
  /** Path to data, as it stands. */
  readonly nodes = new Map<string, string>();
  readonly sessions = new Map<string, number>();
  /** Transactions that were applied since the last reset. */
  applied: Zxid[] = [];
  last: Zxid = asZxid(0);
  withDigest = true;
  finished = false;
  loadedAclBytes = 0;
  readonly source: SnapshotSource = this;

  readonly #reader = new JuteReader();

  /** Writes transaction `zxid` with `dataBytes` of data into the log. */
  static append(log: TransactionLog, zxid: Zxid, dataBytes: number): void {
    const start = log.beginRecord();
    const writer = log.writer;
    writeTxnHeader(writer, { clientIdHi: 0, clientIdLo: 7, cxid: 1, zxid, time: 0, type: 5 });
    writer.writeString(`/n${zxid % pathCount}`);
    writer.writeString(`${zxid}:`.padEnd(dataBytes, 'x'));
    log.endRecord(start, zxid);
  }

  readonly applyRecord = (bytes: Uint8Array, start: number, end: number, zxid: Zxid): void => {
    const reader = this.#reader.reset(bytes, start + 32, end);
    const path = reader.readString();
    this.nodes.set(path, reader.readString());
    this.applied.push(zxid);
    this.last = zxid;
  };

  reset(): void {
    this.nodes.clear();
    this.sessions.clear();
    this.applied = [];
    this.last = asZxid(0);
    this.finished = false;
  }

  loadSession(idHi: number, idLo: number, timeoutMs: number): void {
    this.sessions.set(`${idHi}:${idLo}`, timeoutMs);
  }

  loadAcls(reader: JuteReader): void {
    this.loadedAclBytes = reader.remaining;
    reader.position = reader.end;
  }

  loadNode(bytes: Uint8Array, start: number, end: number): void {
    const reader = this.#reader.reset(bytes, start, end);
    const path = reader.readString();
    const data = reader.readBuffer();
    if (path !== '') this.nodes.set(path, data === null ? '' : new TextDecoder().decode(data));
  }

  finishLoad(zxid: Zxid): void {
    this.last = zxid;
    this.finished = true;
  }

  lastZxid(): Zxid {
    return this.last;
  }

  writeSessions(writer: JuteWriter): void {
    writer.writeInt(this.sessions.size);
    for (const [id, timeoutMs] of this.sessions) {
      const [hi, lo] = id.split(':').map(Number);
      writer.writeLong(hi ?? 0, lo ?? 0);
      writer.writeInt(timeoutMs);
    }
  }

  writeAcls(writer: JuteWriter): void {
    writer.writeInt(1);
    writer.writeLong(0, 1);
    writer.writeInt(1);
    writer.writeInt(31);
    writer.writeString('world');
    writer.writeString('anyone');
  }

  openCursor(): SnapshotCursor {
    let place = -1;
    return {
      writeNext: (writer) => {
        place++;
        while (place > 0 && place <= pathCount && !this.nodes.has(`/n${place - 1}`)) place++;
        if (place > pathCount) return false;
        const path = place === 0 ? '' : `/n${place - 1}`;
        writer.writeString(path);
        writer.writeString(place === 0 ? null : (this.nodes.get(path) ?? null));
        writer.writeLong(0, 1);
        writer.writeBytes(new Uint8Array(60), 0, 60);
        return true;
      },
      close: () => undefined,
    };
  }

  digest(): SnapshotDigest | null {
    return this.withDigest ? { zxid: this.last, version: 2, digestHi: 1, digestLo: 2 } : null;
  }
}

/** A state that went through transactions 1 to `last`, each with `dataBytes(zxid)` of data. */
export function expectedNodes(
  last: number,
  dataBytes: (zxid: number) => number,
): Map<string, string> {
  const nodes = new Map<string, string>();
  for (let zxid = Math.max(1, last - pathCount + 1); zxid <= last; zxid++) {
    nodes.set(`/n${zxid % pathCount}`, `${zxid}:`.padEnd(dataBytes(zxid), 'x'));
  }
  return nodes;
}
