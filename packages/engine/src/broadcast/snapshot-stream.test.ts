import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { asZxid, JuteError, JuteWriter } from '@meerkat/protocol';
import fc from 'fast-check';
import { ensembleLimits } from '../limits.ts';
import type { SnapshotSource } from '../storage/snapshot-format.ts';
import { SnapshotReceiver, SnapshotSender } from './snapshot-stream.ts';
import { SnapshotParts } from './testing/snapshot-parts.ts';

const golden = new URL('../../src/storage/testdata/java-3.8.0/', import.meta.url);
const signature = '0000000a42656e5761734865' + '7265';
const itemBytesMax = 0x1ffffe;

/** Everything that can occur, a few of each. */
function sample(): SnapshotParts {
  const parts = new SnapshotParts().addAcls(4, 5);
  parts.sessions = [
    [1, -1, 4000],
    [-7, 8, 30000],
  ];
  return parts.addNode('', 0).addNode('/a', -1).addNode('/a/b', 30).addNode('/ü', 3);
}

function streamOf(source: SnapshotSource, sliceBytes: number): Uint8Array {
  const sender = new SnapshotSender(source);
  const slices: Uint8Array[] = [];
  for (let slice = sender.next(sliceBytes); slice !== null; slice = sender.next(sliceBytes)) {
    assert.ok(slice.length > 0 && slice.length <= sliceBytes);
    slices.push(slice);
  }
  assert.equal(sender.next(sliceBytes), null);
  sender.close();
  return Uint8Array.from(Buffer.concat(slices));
}

/** Pushes `stream` in pieces that end at `cuts`, each piece in an array that is overwritten afterwards. */
function receive(stream: Uint8Array, cuts: readonly number[]): SnapshotParts {
  const target = new SnapshotParts();
  const receiver = new SnapshotReceiver(target, asZxid(42), itemBytesMax);
  let from = 0;
  for (const cut of [...cuts, stream.length]) {
    const piece = new Uint8Array(cut - from + 2);
    piece.set(stream.subarray(from, cut), 1);
    assert.equal(receiver.push(piece, 1, piece.length - 1), cut - from);
    piece.fill(0xee);
    assert.equal(target.finished !== null, cut === stream.length);
    from = cut;
  }
  assert.ok(receiver.isDone);
  assert.equal(target.resets, 1);
  assert.deepEqual(target.finished, { zxid: 42, digest: null });
  return target;
}

function assertSame(received: SnapshotParts, sent: SnapshotParts): void {
  assert.deepEqual(received.sessions, sent.sessions);
  assert.deepEqual(received.acls, sent.acls);
  assert.deepEqual(received.nodes, sent.nodes);
}

test('a stream cut at any byte, and into single bytes, gives the same state', () => {
  const sent = sample();
  const stream = streamOf(sent, 1_000_000);
  for (let cut = 0; cut <= stream.length; cut++) assertSame(receive(stream, [cut]), sent);
  const everywhere = Array.from(stream.keys()).slice(1);
  assertSame(receive(stream, everywhere), sent);
});

test('a stream cut into any pieces, with items larger than what is read at a time', () => {
  const sent = new SnapshotParts().addAcls(500, 40).addNode('', 0);
  for (let i = 0; i < 2000; i++) sent.sessions.push([i, ~i, 4000 + i]);
  for (let i = 0; i < 60; i++) sent.addNode(`/n${i}`, i % 7 === 0 ? 30_000 + i : i);
  const stream = streamOf(sent, 5000);
  assert.deepEqual(streamOf(sent, 1_000_000), stream);
  const pieces = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 40 });
  fc.assert(
    fc.property(pieces, (lengths) => {
      const cuts: number[] = [];
      let at = 0;
      for (const length of lengths) {
        at += length;
        if (at < stream.length) cuts.push(at);
      }
      assertSame(receive(stream, cuts), sent);
    }),
    { numRuns: 60 },
  );
});

test('slices of any size make the same stream, and a slice is its owner’s', () => {
  const whole = streamOf(sample(), 1_000_000);
  for (const sliceBytes of [1, 2, 3, 7, 50, 100, whole.length - 1, whole.length]) {
    assert.deepEqual(streamOf(sample(), sliceBytes), whole, `${sliceBytes}`);
  }
  const sender = new SnapshotSender(sample());
  const slice = sender.next(60);
  const before = slice?.slice();
  sender.next(60);
  assert.deepEqual(slice, before);
});

for (const name of ['restarted', 'rolled', 'no-digest', 'log-only']) {
  test(`the stream is the body of the snapshot file that Java wrote: ${name}`, () => {
    const directory = new URL(`${name}/version-2/`, golden);
    for (const file of readdirSync(directory)) {
      if (!file.startsWith('snapshot.')) continue;
      const content = readFileSync(new URL(file, directory));
      const target = new SnapshotParts();
      const receiver = new SnapshotReceiver(target, asZxid(1), itemBytesMax);
      // The file has a seal where the stream has its signature, so that its body ends here.
      assert.throws(() => receiver.push(content, 16, content.length), JuteError);
      const bodyBytes = target.nodes.reduce((sum, node) => sum + node.length, 0);
      const bodyEnd = 16 + 4 + 12 * target.sessions.length + target.acls.length + bodyBytes + 5;
      assert.equal(content.readInt32BE(bodyEnd - 5), 1);
      assert.equal(content.readInt32BE(bodyEnd + 8), 1);
      const body = content.subarray(16, bodyEnd).toString('hex');
      assert.equal(Buffer.from(streamOf(target, 300)).toString('hex'), body + signature);
    }
  });
}

test('what follows the stream is not taken', () => {
  const stream = streamOf(sample(), 1000);
  for (const cut of [stream.length, stream.length - 1, stream.length - 5, 10, 0]) {
    const receiver = new SnapshotReceiver(new SnapshotParts(), asZxid(1), itemBytesMax);
    const more = Buffer.concat([stream.subarray(cut), Buffer.from('more')]);
    assert.equal(receiver.push(stream, 0, cut), cut);
    assert.equal(receiver.isDone, cut === stream.length);
    assert.equal(receiver.push(more, 0, more.length), stream.length - cut);
    assert.ok(receiver.isDone);
    assert.equal(receiver.push(more, 0, more.length), 0);
  }
});

test('a stream may be given up, and holds no cursor after its end', () => {
  const source = sample();
  const sender = new SnapshotSender(source);
  assert.notEqual(sender.next(10), null);
  assert.equal(source.cursorsOpen, 1);
  sender.close();
  sender.close();
  assert.equal(source.cursorsOpen, 0);
  assert.equal(sender.next(10), null);
  streamOf(source, 100);
  assert.equal(source.cursorsOpen, 0);
});

function expectRefused(write: (writer: JuteWriter) => void, message: RegExp): void {
  const writer = new JuteWriter();
  write(writer);
  const bytes = writer.toBytes();
  for (const step of [bytes.length, 1]) {
    const target = new SnapshotParts();
    const receiver = new SnapshotReceiver(target, asZxid(1), itemBytesMax);
    assert.throws(
      () => {
        for (let at = 0; at < bytes.length; at += step) receiver.push(bytes, at, at + step);
      },
      (error) => error instanceof JuteError && message.test(error.message),
    );
    assert.equal(target.finished, null);
    assert.throws(() => receiver.push(bytes, 0, 1), /bytes after a snapshot that was none/);
  }
}

test('what is no snapshot is refused at the first byte that shows it', () => {
  const head = (writer: JuteWriter) => {
    writer.writeInt(0);
    writer.writeInt(0);
  };
  const root = (writer: JuteWriter) => {
    head(writer);
    writer.writeString('');
    writer.writeBuffer(null);
    writer.writeBytes(new Uint8Array(68), 0, 68);
  };
  expectRefused((w) => {
    head(w);
    w.writeString('/');
  }, /no root/);
  expectRefused((w) => {
    root(w);
    w.writeString('/');
    w.writeString('BenWasThere');
  }, /BenWasHere/);
  for (const length of [-2, itemBytesMax + 1, 0x7fffffff]) {
    expectRefused((w) => {
      root(w);
      w.writeInt(length);
    }, /current length/);
    expectRefused((w) => {
      root(w);
      w.writeString('/a');
      w.writeInt(length);
    }, /current length/);
    expectRefused((w) => {
      w.writeInt(0);
      w.writeInt(1);
      w.writeLong(0, 1);
      w.writeInt(1);
      w.writeInt(31);
      w.writeInt(length);
    }, /current length/);
  }
});

test('any bytes are refused or waited for, whatever they claim', () => {
  const stream = streamOf(sample(), 1_000_000);
  const change = fc.record({
    at: fc.nat({ max: stream.length - 1 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
    step: fc.integer({ min: 1, max: 200 }),
  });
  fc.assert(
    fc.property(change, ({ at, bytes, step }) => {
      const changed = stream.slice();
      changed.set(bytes.subarray(0, changed.length - at), at);
      const receiver = new SnapshotReceiver(new SnapshotParts(), asZxid(1), itemBytesMax);
      try {
        for (let from = 0; from < changed.length && !receiver.isDone; from += step) {
          receiver.push(changed, from, Math.min(changed.length, from + step));
        }
      } catch (error) {
        assert.ok(error instanceof JuteError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('a snapshot that is longer, or takes longer, than any that is one is beyond bounds', () => {
  const stream = streamOf(sample(), 1000);
  const receiver = new SnapshotReceiver(new SnapshotParts(), asZxid(1), itemBytesMax, 100);
  receiver.push(stream, 0, 100);
  assert.equal(receiver.isBeyondBounds(ensembleLimits.snapshotStreamMsMax), false);
  assert.equal(receiver.isBeyondBounds(ensembleLimits.snapshotStreamMsMax + 1), true);
  receiver.push(stream, 100, 101);
  assert.equal(receiver.isBeyondBounds(0), true);
  // By default so long that a snapshot of 64 GB is still believed.
  const usual = new SnapshotReceiver(new SnapshotParts(), asZxid(1), itemBytesMax);
  usual.push(stream, 0, stream.length);
  assert.equal(usual.isBeyondBounds(0), false);
  assert.equal(ensembleLimits.snapshotStreamBytesMax, 64 * 2 ** 30);
});
