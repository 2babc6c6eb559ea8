import assert from 'node:assert/strict';
import test from 'node:test';
import { asZxid, type Id, JuteError, JuteReader, JuteWriter, makeZxid } from '@meerkat/protocol';
import fc from 'fast-check';
import {
  beginPacket,
  dataReader,
  endPacket,
  PacketIds,
  PacketReader,
  type PacketReceiver,
  PacketType,
  type ReceivedPacket,
  readPacketIds,
  writeBarePacket,
} from './quorum-packet.ts';

const limits = { dataBytesMax: 200, authIdsMax: 4, authBytesMax: 100 };

/** Notes what it gets; holds back or takes raw bytes as it is told. */
class Receiver implements PacketReceiver {
  readonly got: string[] = [];
  isRaw = false;
  isHeld = false;
  /** Packets after which it switches to raw bytes, or holds. */
  rawAfter = -1;
  heldAfter = -1;
  /** Raw bytes that it wants before packets come again. */
  rawBytes = 0;
  raw = '';
  count = 0;

  onPacket(packet: ReceivedPacket): void {
    const reader = dataReader(packet, new JuteReader());
    const data = Buffer.from(reader.bytes.subarray(reader.position, reader.end)).toString();
    const ids = readPacketIds(packet).map(({ scheme, id }) => `${scheme}:${id}`);
    const text = packet.dataStart === -1 ? 'null' : `"${data}"`;
    this.got.push(`${packet.type} ${packet.zxid} ${text}${ids.length > 0 ? ` ${ids.join()}` : ''}`);
    this.count++;
    if (this.count === this.rawAfter) this.isRaw = true;
    if (this.count === this.heldAfter) this.isHeld = true;
  }

  onRaw(bytes: Uint8Array, start: number, end: number): number {
    const taken = Math.min(end - start, this.rawBytes - this.raw.length);
    this.raw += Buffer.from(bytes.subarray(start, start + taken)).toString('latin1');
    if (this.raw.length === this.rawBytes) this.isRaw = false;
    return taken;
  }
}

function packetsOf(
  ...packets: readonly { type: PacketType; zxid: number; data?: string; ids?: readonly Id[] }[]
): Uint8Array {
  const writer = new JuteWriter(64);
  for (const { type, zxid, data, ids } of packets) {
    if (data === undefined && ids === undefined) {
      writeBarePacket(writer, type, zxid);
      continue;
    }
    const start = beginPacket(writer, type, zxid);
    const bytes = Buffer.from(data ?? '');
    writer.writeBytes(bytes, 0, bytes.length);
    endPacket(writer, start, ids ?? null);
  }
  return writer.toBytes();
}

const some = packetsOf(
  { type: PacketType.ping, zxid: makeZxid(3, 0xffffffff) },
  { type: PacketType.upToDate, zxid: -1 },
  { type: PacketType.request, zxid: -1, data: 'abc', ids: [{ scheme: 'ip', id: '::1' }] },
  { type: PacketType.revalidate, zxid: 0, data: '' },
);
const someText = [
  `5 ${3 * 2 ** 32 + 0xffffffff} null`,
  '12 -1 null',
  '1 -1 "abc" ip:::1',
  '6 0 ""',
];

test('packets are the same however they are cut', () => {
  for (let first = 0; first <= some.length; first++) {
    for (const second of [first, first + 1, first + 17, some.length]) {
      const receiver = new Receiver();
      const reader = new PacketReader(limits, receiver);
      const to = Math.min(second, some.length);
      reader.push(some, 0, first);
      reader.push(some, first, to);
      reader.push(some, to, some.length);
      assert.deepEqual(receiver.got, someText, `cut at ${first} and ${to}`);
      assert.equal(reader.keptBytes, 0);
    }
  }
});

test('packets come byte by byte, and from an array that is reused', () => {
  const receiver = new Receiver();
  const reader = new PacketReader(limits, receiver);
  const one = new Uint8Array(1);
  for (const byte of some) {
    one[0] = byte;
    reader.push(one, 0, 1);
    one[0] = 0xee;
  }
  assert.deepEqual(receiver.got, someText);
});

test('lengths beyond the limits are refused as soon as they are there', () => {
  const head = (length: number, count: number): Uint8Array => {
    const writer = new JuteWriter(64);
    writer.writeInt(1);
    writer.writeLongFromDouble(0);
    writer.writeInt(length);
    if (length <= 0) writer.writeInt(count);
    return writer.toBytes();
  };
  const take = (bytes: Uint8Array): void =>
    new PacketReader(limits, new Receiver()).push(bytes, 0, bytes.length);
  for (const length of [-2, -2147483648, 201, 2147483647]) {
    assert.throws(() => take(head(length, 0)), JuteError);
  }
  for (const count of [-2, -2147483648, 5, 2147483647]) {
    assert.throws(() => take(head(-1, count)), JuteError);
  }
  take(head(200, 0));
  take(head(-1, 4));
});

test('ids that are too long together are refused, one of a negative length is empty', () => {
  const writer = new JuteWriter(64);
  writeBarePacket(writer, PacketType.request, 0);
  writer.length -= 4;
  writer.writeInt(1);
  const end = writer.length;
  writer.writeInt(2147483647);
  const take = (): Receiver => {
    const receiver = new Receiver();
    const bytes = writer.toBytes();
    new PacketReader(limits, receiver).push(bytes, 0, bytes.length);
    return receiver;
  };
  assert.throws(take, /bytes of ids/);
  writer.length = end;
  writer.writeInt(90);
  writer.writeBytes(new Uint8Array(90), 0, 90);
  writer.writeInt(20);
  assert.throws(take, /bytes of ids/);
});

test('a zxid that a number cannot hold is refused', () => {
  for (const hi of [0x7fffffff, 0x200000, -0x80000000]) {
    const writer = new JuteWriter(64);
    writeBarePacket(writer, PacketType.commit, 0);
    writer.view.setInt32(4, hi);
    const bytes = writer.toBytes();
    const reader = new PacketReader(limits, new Receiver());
    assert.throws(() => reader.push(bytes, 0, bytes.length), JuteError);
  }
});

test('what is held back is kept until it is wanted', () => {
  for (let cut = 0; cut <= some.length; cut++) {
    const receiver = new Receiver();
    const reader = new PacketReader(limits, receiver);
    receiver.heldAfter = 2;
    reader.push(some, 0, cut);
    reader.push(some, cut, some.length);
    assert.deepEqual(receiver.got, someText.slice(0, 2), `cut at ${cut}`);
    receiver.isHeld = false;
    reader.resume();
    reader.resume();
    assert.deepEqual(receiver.got, someText);
  }
});

test('a snapshot between packets goes where it belongs, to the byte', () => {
  const snapshot = Buffer.from('this is no packet');
  const bytes = Buffer.concat([some.subarray(0, 20), snapshot, some.subarray(20)]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const receiver = new Receiver();
    receiver.rawAfter = 1;
    receiver.rawBytes = snapshot.length;
    const reader = new PacketReader(limits, receiver);
    reader.push(bytes, 0, cut);
    reader.push(bytes, cut, bytes.length);
    assert.equal(receiver.raw, snapshot.toString());
    assert.deepEqual(receiver.got, someText, `cut at ${cut}`);
  }
});

test('who goes on from within a packet gets the rest afterwards, once', () => {
  const receiver = new Receiver();
  const reader = new PacketReader(limits, receiver);
  const onPacket = receiver.onPacket.bind(receiver);
  receiver.onPacket = (packet) => {
    onPacket(packet);
    reader.resume();
  };
  reader.push(some, 0, 30);
  reader.push(some, 30, some.length);
  assert.deepEqual(receiver.got, someText);
});

test('whatever bytes come, they are packets or a JuteError, and no more of them is kept than a packet has', () => {
  const bytesMax = 16 + limits.dataBytesMax + 4 + limits.authBytesMax + 64;
  const plausible = fc
    .tuple(
      fc.integer({ min: -3, max: 25 }),
      fc.integer({ min: -2, max: 260 }),
      fc.integer({ min: -2, max: 6 }),
      fc.uint8Array({ maxLength: 320 }),
    )
    .map(([type, length, count, rest]) => {
      const writer = new JuteWriter(64);
      writer.writeInt(type);
      writer.writeLongFromDouble(type);
      writer.writeInt(length);
      writer.writeBytes(rest, 0, Math.min(rest.length, Math.max(0, length)));
      writer.writeInt(count);
      writer.writeBytes(rest, 0, rest.length);
      return writer.toBytes();
    });
  const chunk = fc.oneof(fc.uint8Array({ maxLength: 64 }), plausible, fc.constant(some));
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 8 }), fc.boolean(), (chunks, isByByte) => {
      const reader = new PacketReader(limits, new Receiver());
      const bytes = Buffer.concat(chunks);
      const step = isByByte ? 1 : 64;
      try {
        for (let at = 0; at < bytes.length; at += step) {
          reader.push(bytes, at, Math.min(at + step, bytes.length));
          assert.ok(reader.keptBytes <= bytesMax, `${reader.keptBytes} bytes are kept`);
        }
      } catch (error) {
        assert.ok(error instanceof JuteError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('ids that are the same as those of the packet before are not made anew', () => {
  const ids = new PacketIds();
  const seen: (readonly unknown[])[] = [];
  const packetOf = (idText: string): ReceivedPacket => {
    const writer = new JuteWriter();
    endPacket(writer, beginPacket(writer, PacketType.request, -1), [{ scheme: 'ip', id: idText }]);
    const bytes = writer.toBytes();
    const end = bytes.length;
    const zxid = asZxid(-1);
    return { type: 1, zxid, bytes, dataStart: 16, dataEnd: 16, authStart: 16, end };
  };
  for (const id of ['10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.1'])
    seen.push(ids.read(packetOf(id)));
  assert.equal(seen[0], seen[1]);
  assert.deepEqual(seen.slice(1), [
    [{ scheme: 'ip', id: '10.0.0.1' }],
    [{ scheme: 'ip', id: '10.0.0.2' }],
    [{ scheme: 'ip', id: '10.0.0.1' }],
  ]);
});
