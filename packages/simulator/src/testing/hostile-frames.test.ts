import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FrameDecoder,
  JuteError,
  JuteReader,
  OpCode,
  readConnectRequest,
  readCreateRequest,
  readGetDataRequest,
  readMultiHeader,
  readRequestHeader,
  readSetACLRequest,
  readSetWatches2,
} from '@meerkat/protocol';
import { SeededRandom } from '../seeded-random.ts';
import { HostileFrames, mutate } from './hostile-frames.ts';
import { requestCorpus } from './request-corpus.ts';

const frameCount = 20_000;

test('the same seed gives the same frames, another seed others', () => {
  const hexOf = (seed: number): string[] => {
    const frames = new HostileFrames(new SeededRandom(seed));
    return Array.from({ length: 200 }, () => Buffer.from(frames.nextRequest()).toString('hex'));
  };
  assert.deepEqual(hexOf(1), hexOf(1));
  assert.notDeepEqual(hexOf(1), hexOf(2));
});

test('mutating leaves the frame as it was', () => {
  const random = new SeededRandom(3);
  for (const frame of requestCorpus().requests) {
    const before = frame.slice();
    mutate(random, frame);
    assert.deepEqual(frame, before);
  }
});

test('the corpus has every operation', () => {
  const { handshakes, requests } = requestCorpus();
  const seen = new Set(requests.map((frame) => new DataView(frame.buffer).getInt32(8)));
  for (const [name, type] of Object.entries(OpCode)) {
    if (type !== OpCode.error) assert.ok(seen.has(type), name);
  }
  for (const frame of handshakes) readConnectRequest(new JuteReader(frame, 4));
});

test('most frames stay whole, so that the damage is inside; none is much too long', () => {
  const frames = new HostileFrames(new SeededRandom(4));
  let whole = 0;
  for (let i = 0; i < frameCount; i++) {
    const frame = frames.nextRequest();
    assert.ok(frame.length <= 0xfffff, `${frame.length} bytes`);
    if (frame.length >= 4 && new DataView(frame.buffer).getInt32(0) === frame.length - 4) whole++;
  }
  assert.ok(whole > frameCount * 0.8 && whole < frameCount, `${whole} whole frames`);
});

test('decoders answer hostile frames with a record or a JuteError', () => {
  const frames = new HostileFrames(new SeededRandom(5));
  const readers = [
    readConnectRequest,
    readCreateRequest,
    readGetDataRequest,
    readMultiHeader,
    readSetACLRequest,
    readSetWatches2,
  ];
  const reader = new JuteReader();
  let refused = 0;
  for (let i = 0; i < frameCount; i++) {
    const frame = frames.nextRequest();
    const decoder = new FrameDecoder(0xfffff);
    decoder.push(frame, 0, frame.length, {
      onBadLength: () => {
        refused++;
      },
      onFrame: (bytes, start, end) => {
        for (const read of readers) {
          try {
            readRequestHeader(reader.reset(bytes, start, end));
            read(reader);
          } catch (error) {
            assert.ok(error instanceof JuteError, String(error));
            refused++;
          }
        }
        return true;
      },
    });
    assert.ok(decoder.heldBytes <= 2 * frame.length + 64);
  }
  assert.ok(refused > frameCount);
});
