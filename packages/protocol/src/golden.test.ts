import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  readConnectRequest,
  readConnectResponse,
  writeConnectRequest,
  writeConnectResponse,
} from './connect.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { JuteError } from './jute/jute-error.ts';
import { JuteReader } from './jute/jute-reader.ts';
import { JuteWriter } from './jute/jute-writer.ts';
import {
  readReplyHeader,
  readRequestHeader,
  readWatcherEvent,
  writeReplyHeader,
  writeRequestHeader,
  writeWatcherEvent,
} from './records/generated.ts';
import { frameBody, type GoldenFrame, goldenFrames } from './testing/golden.ts';
import { copyReply, copyRequest } from './testing/operation-records.ts';

/** Requests that were made so that they do not decode; Java answers MARSHALLINGERROR. */
const undecodable = new Set([
  'unknown opcode',
  'notification as a request',
  'getData without a record',
  'getData with a negative length',
  'getData with a length past the end',
  'getData of a null path',
  'setData without a record',
  'create without a record',
  'multi without a terminator',
]);

/**
 * The Java client writes a character beyond the basic plane as two surrogates of three bytes, which
 * the Java server reads as two U+FFFD: its own reply in the same capture has those.
 */
function asJavaReads(hex: string): string {
  return hex.replace('eda0bdedb0b1', 'efbfbdefbfbd');
}

/** Decodes the body of a frame as what it is, and encodes it again. */
function copy(frame: GoldenFrame, reader: JuteReader): Uint8Array {
  const writer = new JuteWriter(1);
  switch (frame.kind) {
    case 'connectRequest':
      writeConnectRequest(writer, readConnectRequest(reader));
      break;
    case 'connectResponse':
      writeConnectResponse(writer, readConnectResponse(reader));
      break;
    case 'notification':
      writeReplyHeader(writer, readReplyHeader(reader));
      writeWatcherEvent(writer, readWatcherEvent(reader));
      break;
    case 'request':
    case 'ping': {
      const header = readRequestHeader(reader);
      writeRequestHeader(writer, header);
      if (frame.type !== undefined) assert.equal(header.type, frame.type);
      copyRequest(header.type, reader, writer);
      break;
    }
    case 'reply':
    case 'pingReply': {
      const header = readReplyHeader(reader);
      writeReplyHeader(writer, header);
      if (frame.err !== undefined) assert.equal(header.err, frame.err);
      if (header.err === 0 && frame.type !== undefined) copyReply(frame.type, reader, writer);
      break;
    }
    default:
      assert.fail(`Cannot decode a frame: current kind is ${frame.kind}`);
  }
  assert.equal(reader.remaining, 0, frame.step);
  return writer.toBytes();
}

for (const name of ['java-client', 'kazoo', 'hand-made'] as const) {
  test(`golden ${name}: every frame decodes whole and encodes to the same bytes`, () => {
    const refused = new Set<string>();
    for (const frame of goldenFrames(name)) {
      if (frame.kind === 'close') continue;
      const body = frameBody(frame);
      if (frame.kind === 'request' && name === 'hand-made' && undecodable.has(frame.step)) {
        assert.throws(() => copy(frame, new JuteReader(body)), JuteError, frame.step);
        refused.add(frame.step);
        continue;
      }
      const copied = copy(frame, new JuteReader(body));
      // A zxid beyond 2^53 is only compared, never written.
      if (frame.step === 'connect from the future') continue;
      const hex = Buffer.from(copied).toString('hex');
      assert.equal(hex, asJavaReads(frame.hex.slice(8)), frame.step);
    }
    if (name === 'hand-made') assert.deepEqual(refused, undecodable);
  });
}

test('golden: a record cut anywhere is refused', () => {
  for (const frame of goldenFrames('java-client')) {
    const body = frameBody(frame);
    for (let end = 0; end < body.length; end++) {
      // Without its last byte a handshake is one of an old client.
      if (frame.kind.startsWith('connect') && end === body.length - 1) continue;
      const cut = (): Uint8Array => copy(frame, new JuteReader(body, 0, end));
      assert.throws(cut, JuteError, `${frame.step}, cut at ${end}`);
    }
  }
});

test('golden: both directions of a connection come out of the frame decoder in any pieces', () => {
  const frames = goldenFrames('java-client').filter((frame) => frame.kind !== 'close');
  for (const from of ['client', 'server']) {
    const sent = frames.filter((frame) => frame.from === from).map((frame) => frame.hex);
    const stream = Uint8Array.from(Buffer.from(sent.join(''), 'hex'));
    for (const step of [1, 3, 7, 64, 1000, stream.length]) {
      const received: string[] = [];
      const decoder = new FrameDecoder(0xfffff);
      for (let at = 0; at < stream.length; at += step) {
        decoder.push(stream, at, Math.min(stream.length, at + step), {
          onFrame: (bytes, start, end) => {
            received.push(Buffer.from(bytes.slice(start, end)).toString('hex'));
            return true;
          },
          onBadLength: (length) => assert.fail(String(length)),
        });
      }
      assert.deepEqual(
        received,
        sent.map((hex) => hex.slice(8)),
      );
    }
  }
});
