import assert from 'node:assert/strict';
import test from 'node:test';
import { ErrorCode, JuteReader, JuteWriter, OpCode } from '@meerkat/protocol';
import type { ClientConnection } from '../requests/client-connection.ts';
import { LearnerRoute } from './learner-route.ts';
import type { MemberContext } from './member-context.ts';
import { PacketReader, type ReceivedPacket, readPacketIds } from './quorum-packet.ts';

/** A client of the learner: what the route looks at. */
function clientOf(id: number): ClientConnection {
  const session = { idHi: id, idLo: -id, newestPendingSequence: 0 };
  return {
    id,
    session,
    pendingWrites: 0,
    newestPendingSequence: 0,
    sessionTimeoutMs: 30_000,
  } as unknown as ClientConnection;
}

/** A route whose applier notes what it is given, and its answers. */
class World {
  readonly outbox = new JuteWriter(64);
  /** `xid` of an answer to a client, `-` for a transaction of others, `end` of a session, in order. */
  readonly seen: string[] = [];
  readonly route: LearnerRoute;

  constructor() {
    const context = {
      applier: {
        apply: (_bytes: Uint8Array, _start: number, _end: number, answer: JuteWriter | null) => {
          if (answer === null) this.seen.push('-');
          return ErrorCode.ok;
        },
      },
      intake: {
        onWriteApplied: ({ id }: ClientConnection, xid: number) => this.seen.push(`${id}#${xid}`),
        onSessionEnding: (hi: number) => this.seen.push(`end ${hi}`),
        revalidated: ({ id }: ClientConnection, session: object | null) =>
          this.seen.push(`${id} ${session === null ? 'gone' : 'lives'}`),
      },
      state: { sessions: { track: () => ({}) } },
      config: { extendedTypesEnabled: false },
    };
    this.route = new LearnerRoute(this.outbox, context as unknown as MemberContext);
  }

  ask(client: ClientConnection | null, xid: number, type: OpCode, body: Uint8Array = path): void {
    this.route.prepare(
      {
        connection: client,
        sessionHi: client?.session?.idHi ?? 0,
        sessionLo: client?.session?.idLo ?? 0,
        authIds: [{ scheme: 'ip', id: '::1' }],
        xid,
        type,
        receivedMs: 0,
        largeBytes: 0,
        owner: null,
      },
      new JuteReader(body),
      0,
    );
  }

  commit(session: number, xid: number, type: OpCode = OpCode.delete): void {
    const writer = new JuteWriter(64);
    writer.writeLong(session, -session);
    writer.writeInt(xid);
    writer.writeLongFromDouble(1);
    writer.writeLongFromDouble(1);
    writer.writeInt(type);
    this.route.commitOne(writer.bytes, 0, writer.length);
  }
}

const path = ((): Uint8Array => {
  const writer = new JuteWriter(16);
  writer.writeString('/a');
  return writer.toBytes();
})();

test('a request is forwarded with its session, number, kind, body and identities', () => {
  const world = new World();
  world.ask(clientOf(7), 5, OpCode.delete);
  const got: string[] = [];
  const reader = new PacketReader(
    { dataBytesMax: 1000, authIdsMax: 10, authBytesMax: 1000 },
    {
      onPacket: (packet: ReceivedPacket) => {
        const data = Buffer.from(packet.bytes.subarray(packet.dataStart, packet.dataEnd));
        const [id] = readPacketIds(packet);
        got.push(`${packet.type} ${packet.zxid} ${data.toString('hex')} ${id?.scheme} ${id?.id}`);
      },
      onRaw: () => 0,
      isRaw: false,
      isHeld: false,
    },
  );
  reader.push(world.outbox.bytes, 0, world.outbox.length);
  assert.deepEqual(got, ['1 -1 00000007fffffff90000000500000002000000022f61 ip ::1']);
});

test('each answer goes to the request that is the oldest, and only when session and number are its own', () => {
  const world = new World();
  const [a, b] = [clientOf(1), clientOf(2)];
  world.ask(a, 5, OpCode.delete);
  world.ask(b, 5, OpCode.delete);
  world.ask(a, 6, OpCode.delete);
  world.commit(9, 5);
  world.commit(2, 6);
  world.commit(1, 5);
  world.commit(2, 5);
  world.commit(9, 6);
  world.commit(1, 6);
  assert.deepEqual(world.seen, ['-', '-', '1#5', '2#5', '-', '1#6']);
  assert.equal(world.route.pendingBytes, 0);
  assert.equal(a.pendingWrites + b.pendingWrites, 0);
});

test('a client that is gone holds up nobody behind it', () => {
  const world = new World();
  const [gone, other] = [clientOf(1), clientOf(2)];
  world.ask(gone, 5, OpCode.delete);
  world.ask(other, 8, OpCode.delete);
  world.commit(1, 5);
  world.commit(2, 8);
  // The intake drops what nobody is there to hear; its place in the row is what matters here.
  assert.deepEqual(world.seen, ['1#5', '2#8']);
  assert.equal(world.route.pending.count, 0);
});

test('a sync is answered in its place among the writes', () => {
  const world = new World();
  const client = clientOf(1);
  world.ask(client, 1, OpCode.sync);
  world.ask(client, 2, OpCode.delete);
  world.ask(client, 3, OpCode.sync);
  assert.equal(world.route.answerSync(), true);
  world.commit(1, 2);
  assert.equal(world.route.answerSync(), true);
  assert.deepEqual(world.seen, ['1#1', '1#2', '1#3']);
});

test('a sync that nobody asked for, or that comes too early, is none', () => {
  const world = new World();
  assert.equal(world.route.answerSync(), false);
  world.ask(clientOf(1), 2, OpCode.delete);
  assert.equal(world.route.answerSync(), false);
});

test('a session that ends elsewhere ends here before its transaction is applied', () => {
  const world = new World();
  world.commit(4, 0, OpCode.closeSession);
  assert.deepEqual(world.seen, ['end 4', '-']);
});

test('a verdict goes to the one who asked about that session, once', () => {
  const world = new World();
  const [a, b] = [clientOf(1), clientOf(2)];
  world.route.revalidate(a, 1, 0);
  world.route.revalidate(b, 2, 0);
  const verdict = (hi: number, isValid: boolean): JuteReader => {
    const writer = new JuteWriter(9);
    writer.writeLong(hi, 0);
    writer.writeBoolean(isValid);
    return new JuteReader(writer.toBytes());
  };
  assert.equal(world.route.takeVerdict(verdict(2, false)), true);
  assert.equal(world.route.takeVerdict(verdict(3, true)), true);
  assert.equal(world.route.takeVerdict(verdict(1, true)), true);
  assert.equal(world.route.takeVerdict(verdict(1, true)), true);
  assert.deepEqual(world.seen, ['2 gone', '1 lives']);
  assert.equal(world.route.takeVerdict(new JuteReader(new Uint8Array(8))), false);
});

test('thousands of requests leave nothing behind', () => {
  const world = new World();
  const client = clientOf(1);
  for (let round = 0; round < 5; round++) {
    for (let xid = 0; xid < 3000; xid++) world.ask(client, xid, OpCode.delete);
    for (let xid = 0; xid < 3000; xid++) world.commit(1, xid);
    assert.equal(world.route.pendingBytes, 0);
    assert.equal(world.route.pending.count, 0);
  }
  assert.equal(world.seen.length, 15_000);
});
