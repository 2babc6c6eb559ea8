import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { asZxid, JuteReader, JuteWriter } from '@meerkat/protocol';
import {
  beginPacket,
  endPacket,
  PacketReader,
  type PacketReceiver,
  PacketType,
  type ReceivedPacket,
  readPacketIds,
  writeBarePacket,
} from './quorum-packet.ts';
import { SnapshotReceiver, SnapshotSender } from './snapshot-stream.ts';
import { SnapshotParts } from './testing/snapshot-parts.ts';

const golden = new URL('../../src/broadcast/testdata/java-3.8.0/', import.meta.url);
const limits = { dataBytesMax: 100_000, authIdsMax: 100, authBytesMax: 1000 };

/** Packet types by number, as Java writes them. */
const names = new Map(
  Object.entries(PacketType).map(([key, type]): [number, string] => [type, key.toUpperCase()]),
);

/** What `tests/peers/capture-learner-streams.ts` writes. */
interface RecordedLink {
  readonly description: string;
  readonly packets: readonly {
    readonly step: string;
    readonly from: 'learner' | 'leader';
    readonly kind: string;
    readonly hex: string;
  }[];
}

const links = new Map(
  readdirSync(golden).map((name): [string, RecordedLink] => {
    const text = readFileSync(new URL(name, golden), 'utf8');
    return [name.replace('.json', ''), JSON.parse(text) as RecordedLink];
  }),
);

/** Decodes packets and writes them anew. */
class Copier implements PacketReceiver {
  readonly writer = new JuteWriter();
  readonly types: number[] = [];
  readonly isHeld = false;
  #snapshot: { parts: SnapshotParts; receiver: SnapshotReceiver } | null = null;

  get isRaw(): boolean {
    return this.#snapshot !== null;
  }

  onPacket(packet: ReceivedPacket): void {
    const { type, zxid, bytes, dataStart, dataEnd } = packet;
    this.types.push(type);
    const idCount = new JuteReader(bytes, packet.authStart, packet.end).readInt();
    if (dataStart < 0 && idCount < 0) {
      writeBarePacket(this.writer, type as PacketType, zxid);
    } else {
      assert.ok(dataStart >= 0);
      const start = beginPacket(this.writer, type as PacketType, zxid);
      this.writer.writeBytes(bytes, dataStart, dataEnd);
      endPacket(this.writer, start, idCount < 0 ? null : readPacketIds(packet));
    }
    if (type !== PacketType.snap) return;
    const parts = new SnapshotParts();
    this.#snapshot = { parts, receiver: new SnapshotReceiver(parts, asZxid(zxid), 100_000) };
  }

  onRaw(bytes: Uint8Array, start: number, end: number): number {
    assert.ok(this.#snapshot !== null);
    const { parts, receiver } = this.#snapshot;
    const taken = receiver.push(bytes, start, end);
    if (receiver.isDone) {
      this.#snapshot = null;
      const sender = new SnapshotSender(parts);
      for (let slice = sender.next(64); slice !== null; slice = sender.next(64)) {
        this.writer.writeBytes(slice, 0, slice.length);
      }
    }
    return taken;
  }
}

for (const [name, { description, packets }] of links) {
  test(`what Java 3.8.0 sent is read and written again: ${description} (${name})`, () => {
    for (const from of ['learner', 'leader']) {
      const sent = packets.filter((packet) => packet.from === from);
      const stream = Buffer.concat(sent.map(({ hex }) => Buffer.from(hex, 'hex')));
      for (const pieceBytes of [stream.length, 1, 7, 100]) {
        const copier = new Copier();
        const reader = new PacketReader(limits, copier);
        for (let at = 0; at < stream.length; at += pieceBytes) {
          const piece = Uint8Array.from(stream.subarray(at, at + pieceBytes));
          reader.push(piece, 0, piece.length);
          piece.fill(0xee);
        }
        assert.equal(reader.keptBytes, 0);
        assert.equal(Buffer.from(copier.writer.written()).toString('hex'), stream.toString('hex'));
        const kinds = sent.filter(({ kind }) => kind !== 'snapshot').map(({ kind }) => kind);
        assert.deepEqual(
          copier.types.map((type) => names.get(type)),
          kinds,
        );
      }
    }
  });
}

test('the recorded links hold every packet there is', () => {
  const kinds = new Set([...links.values()].flatMap(({ packets }) => packets.map((p) => p.kind)));
  assert.deepEqual([...kinds].sort(), [...names.values(), 'snapshot'].sort());
});

test('a Java learner answers pings with a buffer, empty or not, and goes on in this order', () => {
  const kindsOf = (name: string): string =>
    (links.get(name)?.packets ?? [])
      .filter(({ kind }) => kind !== 'PING')
      .map(({ kind }) => kind)
      .join(' ');
  const hello = 'FOLLOWERINFO LEADERINFO ACKEPOCH';
  const end = 'NEWLEADER ACK UPTODATE ACK';
  assert.equal(kindsOf('snap'), `${hello} SNAP snapshot ${end}`);
  assert.equal(kindsOf('empty-diff'), `${hello} DIFF ${end}`);
  assert.equal(kindsOf('trunc'), `${hello} TRUNC ${end}`);
  for (const { packets } of links.values()) {
    for (const { from, kind, hex } of packets) {
      if (kind !== 'PING') continue;
      const dataLength = Buffer.from(hex, 'hex').readInt32BE(12);
      if (from === 'leader') assert.equal(dataLength, -1);
      else assert.equal(dataLength % 12, 0);
    }
  }
});
