import { asZxid, type JuteReader, JuteWriter, type Zxid } from '@meerkat/protocol';
import type {
  SnapshotDigest,
  SnapshotSource,
  SnapshotTarget,
} from '../../storage/snapshot-format.ts';

/** Keeps the parts of a snapshot as they are, and gives them back. */
export class SnapshotParts implements SnapshotTarget, SnapshotSource {
  sessions: [number, number, number][] = [];
  acls: Uint8Array = new Uint8Array(4);
  nodes: Uint8Array[] = [];
  resets = 0;
  finished: { zxid: Zxid; digest: SnapshotDigest | null } | null = null;
  cursorsOpen = 0;

  reset(): void {
    this.resets++;
    this.sessions = [];
    this.nodes = [];
    this.finished = null;
  }
  loadSession(idHi: number, idLo: number, timeoutMs: number): void {
    this.sessions.push([idHi, idLo, timeoutMs]);
  }
  loadAcls(reader: JuteReader): void {
    this.acls = reader.bytes.slice(reader.position, reader.end);
  }
  loadNode(bytes: Uint8Array, start: number, end: number): void {
    this.nodes.push(bytes.slice(start, end));
  }
  finishLoad(zxid: Zxid, digest: SnapshotDigest | null): void {
    this.finished = { zxid, digest };
  }
  lastZxid(): Zxid {
    return asZxid(7);
  }
  writeSessions(writer: JuteWriter): void {
    writer.writeInt(this.sessions.length);
    for (const [hi, lo, timeoutMs] of this.sessions) {
      writer.writeLong(hi, lo);
      writer.writeInt(timeoutMs);
    }
  }
  writeAcls(writer: JuteWriter): void {
    writer.writeBytes(this.acls, 0, this.acls.length);
  }
  openCursor() {
    let next = 0;
    let open = true;
    this.cursorsOpen++;
    return {
      writeNext: (writer: JuteWriter): boolean => {
        const node = this.nodes[next++];
        if (node !== undefined) writer.writeBytes(node, 0, node.length);
        return node !== undefined;
      },
      close: () => {
        if (open) this.cursorsOpen--;
        open = false;
      },
    };
  }
  digest(): SnapshotDigest | null {
    return null;
  }

  addAcls(count: number, characters: number): this {
    const writer = new JuteWriter();
    writer.writeInt(count);
    for (let i = 0; i < count; i++) {
      writer.writeLong(0, i + 1);
      writer.writeInt(i % 3);
      for (let entry = 0; entry < i % 3; entry++) {
        writer.writeInt(31);
        writer.writeString('digest');
        writer.writeString('x'.repeat(characters + i));
      }
    }
    this.acls = writer.toBytes();
    return this;
  }

  addNode(path: string, dataBytes: number): this {
    const writer = new JuteWriter();
    writer.writeString(path);
    writer.writeBuffer(dataBytes < 0 ? null : new Uint8Array(dataBytes).fill(path.length));
    writer.writeBytes(new Uint8Array(68).fill(9), 0, 68);
    this.nodes.push(writer.toBytes());
    return this;
  }
}
