import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtocolError } from './errors.ts';
import { FrameAssembler } from './frame-assembler.ts';

function collect(chunks: readonly Uint8Array[], frameBytesMax = 1000): number[][] {
  const frames: number[][] = [];
  const sink = {
    onFrame(bytes: Uint8Array, start: number, end: number): boolean {
      frames.push([...bytes.subarray(start, end)]);
      return true;
    },
  };
  const assembler = new FrameAssembler(sink, frameBytesMax);
  for (const chunk of chunks) assembler.push(chunk);
  return frames;
}

function encode(frames: readonly number[][]): Uint8Array {
  return Uint8Array.from(
    frames.flatMap((frame) => [0, 0, frame.length >> 8, frame.length & 0xff, ...frame]),
  );
}

const someFrames = fc.array(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 300 }), {
  maxLength: 8,
});

test('frames come out the same however the stream is cut', () => {
  fc.assert(
    fc.property(
      someFrames,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (frames, sizes) => {
        const stream = encode(frames);
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length] as number;
          chunks.push(stream.slice(at, at + size));
          at += size;
        }
        assert.deepEqual(collect(chunks), frames);
        assert.deepEqual(collect([stream]), frames);
        assert.deepEqual(collect([...stream].map((byte) => Uint8Array.of(byte))), frames);
      },
    ),
    { numRuns: 200 },
  );
});

test('a length that is negative or too large is refused, whole or split', () => {
  for (const header of [
    [0xff, 0xff, 0xff, 0xff],
    [0, 0, 4, 0],
    [0x7f, 0xff, 0xff, 0xff],
  ]) {
    assert.throws(() => collect([Uint8Array.from(header)]), ProtocolError);
    assert.throws(() => collect(header.map((byte) => Uint8Array.of(byte))), ProtocolError);
  }
});

test('nothing is handed over after the sink has said no', () => {
  let frames = 0;
  const sink = { onFrame: (): boolean => ++frames < 2 };
  new FrameAssembler(sink, 10).push(encode([[1], [2], [3]]));
  assert.equal(frames, 2);
});
