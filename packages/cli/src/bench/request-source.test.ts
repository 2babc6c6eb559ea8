import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  JuteReader,
  OpCode,
  readCreateRequest,
  readGetDataRequest,
  readMultiHeader,
  readSetDataRequest,
} from '@meerkat/protocol';
import { type BenchOptions, parseMix } from './bench-options.ts';
import { MixSource, SequenceSource } from './request-source.ts';
import { createTemplate } from './request-template.ts';

const names = { keyPrefix: '/b/k', createdPrefix: '/b/c1-' };

function options(mix: string, payloadBytes = 3): BenchOptions {
  return {
    hosts: [],
    mix: parseMix(mix),
    connections: 1,
    depth: 1,
    payloadBytes,
    keys: 25,
    durationMs: 0,
    warmUpMs: 0,
    root: '/b',
    multiOperations: 3,
    sessionTimeoutMs: 1000,
    keep: false,
  };
}

/** Encodes one request and returns a reader at its record, after checking the frame. */
function next(source: MixSource | SequenceSource, xid: number): [number, JuteReader] {
  const target = new Uint8Array(source.requestBytesMax + 7);
  const end = source.encode(target, 7, xid);
  const reader = new JuteReader(target, 7, end);
  assert.equal(reader.readInt(), end - 11);
  assert.equal(reader.readInt(), xid);
  return [reader.readInt(), reader];
}

test('reads address every key and no other', () => {
  const source = new MixSource(options('get'), names);
  const seen = new Set<string>();
  for (let i = 0; i < 1000; i++) {
    const [type, reader] = next(source, 0x7ffffff0);
    assert.equal(type, OpCode.getData);
    const { path, watch } = readGetDataRequest(reader);
    assert.match(path, /^\/b\/k00000000([01]\d|2[0-4])$/);
    assert.equal(watch, false);
    assert.equal(reader.remaining, 0);
    seen.add(path);
  }
  assert.equal(seen.size, 25);
});

test('creates count up', () => {
  const source = new MixSource(options('create', 500), names);
  for (const path of ['/b/c1-0000000000', '/b/c1-0000000001']) {
    const [type, reader] = next(source, 1);
    assert.equal(type, OpCode.create);
    const request = readCreateRequest(reader);
    assert.equal(request.path, path);
    assert.equal(request.data?.length, 500);
    assert.deepEqual(request.acl, [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]);
  }
  assert.equal(source.created, 2);
});

test('a multi is whole', () => {
  const [type, reader] = next(new MixSource(options('multi'), names), 1);
  assert.equal(type, OpCode.multi);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(readMultiHeader(reader), { type: OpCode.setData, done: false, err: -1 });
    const { path, data, version } = readSetDataRequest(reader);
    assert.match(path, /^\/b\/k\d{10}$/);
    assert.equal(data?.length, 3);
    assert.equal(version, -1);
  }
  assert.deepEqual(readMultiHeader(reader), { type: -1, done: true, err: -1 });
  assert.equal(reader.remaining, 0);
});

test('a mix keeps to its weights', () => {
  const source = new MixSource(options('get:70,set:20,exists:10'), names);
  const counts = new Map<number, number>();
  for (let i = 0; i < 10_000; i++) {
    const [type] = next(source, 1);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  const share = (type: number) => Math.round((counts.get(type) ?? 0) / 200);
  assert.deepEqual(
    [share(OpCode.getData), share(OpCode.setData), share(OpCode.exists)],
    [35, 10, 5],
  );
});

test('a sequence ends, a stopped mix too', () => {
  const sequence = new SequenceSource(createTemplate('/é/', new Uint8Array(0)), 2);
  assert.equal(readCreateRequest(next(sequence, 1)[1]).path, '/é/0000000000');
  assert.equal(readCreateRequest(next(sequence, 1)[1]).path, '/é/0000000001');
  assert.equal(sequence.encode(new Uint8Array(100), 0, 1), -1);
  assert.equal(sequence.isOver, true);
  const mix = new MixSource(options('get'), names);
  mix.stop();
  assert.equal(mix.encode(new Uint8Array(100), 0, 1), -1);
});
