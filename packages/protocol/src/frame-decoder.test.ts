import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameDecoder, type FrameReceiver } from './frame-decoder.ts';

const frameBytesMax = 1000;

/** Copies what it is given. */
class Recorder implements FrameReceiver {
  readonly frames: Uint8Array[] = [];
  readonly badLengths: number[] = [];
  /** The array each frame lay in. */
  readonly arrays: Uint8Array[] = [];
  framesWanted: number = Number.POSITIVE_INFINITY;

  onFrame(bytes: Uint8Array, start: number, end: number): boolean {
    this.frames.push(bytes.slice(start, end));
    this.arrays.push(bytes);
    return this.frames.length < this.framesWanted;
  }

  onBadLength(length: number): void {
    this.badLengths.push(length);
  }
}

function streamOf(frames: readonly Uint8Array[]): Uint8Array {
  const stream = Buffer.concat(
    frames.flatMap((frame) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(frame.length);
      return [length, frame];
    }),
  );
  return new Uint8Array(stream);
}

const frames = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 });

test('whole: many frames in a chunk are passed on where they lie', () => {
  fc.assert(
    fc.property(frames, (sent) => {
      const decoder = new FrameDecoder(frameBytesMax);
      const recorder = new Recorder();
      const stream = streamOf(sent);
      assert.equal(decoder.push(stream, 0, stream.length, recorder), stream.length);
      assert.deepEqual(recorder.frames, sent);
      assert.ok(recorder.arrays.every((array) => array === stream));
      assert.equal(decoder.heldBytes, 0);
    }),
  );
});

test('byte by byte', () => {
  fc.assert(
    fc.property(frames, (sent) => {
      const decoder = new FrameDecoder(frameBytesMax);
      const recorder = new Recorder();
      for (const byte of streamOf(sent)) decoder.push(Uint8Array.of(byte), 0, 1, recorder);
      assert.deepEqual(recorder.frames, sent);
      assert.equal(decoder.heldBytes, 0);
      assert.equal(decoder.isBetweenFrames, true);
    }),
  );
});

test('split anywhere', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat({ max: 60 })), (sent, sizes) => {
      const decoder = new FrameDecoder(frameBytesMax);
      const recorder = new Recorder();
      const stream = streamOf(sent);
      let at = 0;
      for (const size of [...sizes, stream.length]) {
        const end = Math.min(stream.length, at + size);
        assert.equal(decoder.push(stream, at, end, recorder), end);
        at = end;
      }
      assert.deepEqual(recorder.frames, sent);
      assert.equal(decoder.heldBytes, 0);
    }),
    { numRuns: 500 },
  );
});

test('truncated at every length: the frames before are passed on, the last is not', () => {
  const sent = [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4, 5)];
  const stream = streamOf(sent);
  const ends = [7, 11, 17];
  for (let end = 0; end <= stream.length; end++) {
    const decoder = new FrameDecoder(frameBytesMax);
    const recorder = new Recorder();
    decoder.push(stream, 0, end, recorder);
    assert.equal(recorder.frames.length, ends.filter((frameEnd) => frameEnd <= end).length);
    assert.equal(decoder.isBetweenFrames, end === 0 || ends.includes(end));
  }
});

test('the receiver stops behind a frame; the rest is pushed again', () => {
  const sent = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
  const stream = streamOf(sent);
  const decoder = new FrameDecoder(frameBytesMax);
  const recorder = new Recorder();
  recorder.framesWanted = 2;
  const at = decoder.push(stream, 0, stream.length, recorder);
  assert.equal(at, 10);
  recorder.framesWanted = 10;
  decoder.push(stream, at, stream.length, recorder);
  assert.deepEqual(recorder.frames, sent);
});

test('negative and over-limit lengths are reported once, nothing after them is read', () => {
  for (const length of [-1, -(2 ** 31), frameBytesMax + 1, 2 ** 31 - 1, 0x72756f6b]) {
    const bytes = new Uint8Array(20);
    new DataView(bytes.buffer).setInt32(0, 1);
    new DataView(bytes.buffer).setInt32(5, length);
    for (const step of [1, 20]) {
      const decoder = new FrameDecoder(frameBytesMax);
      const recorder = new Recorder();
      let end = 0;
      for (let at = 0; at < 20; at += step) end = decoder.push(bytes, at, at + step, recorder);
      assert.deepEqual(recorder.badLengths, [length]);
      assert.equal(recorder.frames.length, 1);
      assert.equal(end, step === 20 ? 9 : 19);
    }
  }
});

test('the longest frame is taken', () => {
  const frame = new Uint8Array(frameBytesMax).fill(7);
  const recorder = new Recorder();
  const stream = streamOf([frame]);
  new FrameDecoder(frameBytesMax).push(stream, 0, stream.length, recorder);
  assert.deepEqual(recorder.frames, [frame]);
});

test('a long frame that only trickles in holds little more than what has come', () => {
  const decoder = new FrameDecoder(1 << 20);
  const recorder = new Recorder();
  const stream = streamOf([new Uint8Array(1 << 20)]);
  let at = 0;
  for (const step of [1, 3, 1, 10, 100, 1000, 10_000, 100_000]) {
    decoder.push(stream, at, at + step, recorder);
    at += step;
    assert.ok(decoder.heldBytes <= Math.max(64, 2 * at), `${decoder.heldBytes} at ${at}`);
  }
  decoder.push(stream, at, stream.length, recorder);
  assert.equal(recorder.frames.length, 1);
  assert.equal(decoder.heldBytes, 0);
});
