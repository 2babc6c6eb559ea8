import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { type RecordedEntry, RecordedHistory } from '@meerkat/simulator';
import { repositoryRoot, temporaryDirectory } from '../peers/support/paths.ts';
import { tickTimeMs } from './chaos-ensemble.ts';
import { checkHistory } from './check-history.ts';

// Three members, three clients, a bridge and a partition: `npm run chaos -- --members 3 --clients 3 --think 900
// --minutes 0.14 --seed 11 --keep`, without the lines that are for people.
const path = join(repositoryRoot, 'tests/chaos/testdata/small-history.jsonl');
const recorded: readonly RecordedEntry[] = readFileSync(path, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as RecordedEntry);

test('what three processes did is well, to its end', async () => {
  assert.deepEqual(await checkHistory(path), {
    transactions: 184,
    replies: 458,
    writes: 176,
    events: 48,
    readOnlyReplies: 0,
    sessions: 7,
    connections: 11,
    epochs: 2,
    isWhole: true,
  });
});

test('a transaction that no log has any more is missed', () => {
  const middle = recorded.filter((entry) => 'transaction' in entry)[90];
  assert.throws(() => check(recorded.filter((entry) => entry !== middle)), {
    rule: 'a history without holes',
  });
});

test('an acknowledged write at the end of the history is missed', () => {
  const last = recorded.filter((entry) => 'transaction' in entry).slice(-20);
  const shorter = recorded.filter(
    (entry) => !last.includes(entry as never) && !('serves' in entry),
  );
  // Without anybody who says how far the history goes, what is left of it does.
  const end = recorded.filter((entry) => 'transaction' in entry).at(-21);
  assert.ok(end !== undefined && 'transaction' in end);
  const serves = { at: 0, member: 1, serves: end.transaction };
  assert.throws(() => check([...shorter, serves]), { rule: 'what is acknowledged is committed' });
});

test('a member that has another transaction is found', () => {
  const one = recorded.find((entry) => 'transaction' in entry);
  assert.ok(one !== undefined && 'transaction' in one);
  const bytes = Buffer.from(one.bytes, 'base64');
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  const other = { ...one, member: one.member + 1, bytes: bytes.toString('base64') };
  assert.throws(() => check([...recorded, other]), { rule: 'one zxid, one transaction' });
});

test('an answer that says that there is no such znode, where there is one, is found', () => {
  const damaged = damageReply((reply) => {
    if (reply.err !== 0 || reply.frame.length <= headerBytes) return null;
    reply.frame.writeInt32BE(-101, 12);
    return [reply.frame.subarray(0, headerBytes)];
  });
  assert.throws(() => check(damaged), { rule: 'an answer is what the history says' });
});

test('an answer with other bytes is found', () => {
  const damaged = damageReply(({ frame, err }) => {
    if (err !== 0 || frame.length <= headerBytes + 8) return null;
    frame.writeUInt8(frame.readUInt8(frame.length - 1) ^ 1, frame.length - 1);
    return [frame];
  });
  assert.throws(() => check(damaged), { rule: 'an answer is what the history says' });
});

test('an answer from the past is found', () => {
  const damaged = damageReply(({ frame, zxid, zxidBefore }) => {
    if (zxid !== zxidBefore) return null;
    frame.writeBigInt64BE(BigInt(zxid) - 1n, 4);
    return [frame];
  });
  assert.throws(() => check(damaged), { rule: 'a session never sees the past' });
});

test('an event that was not told is missed', () => {
  const damaged = damageFrame((frame) => (frame.readInt32BE(0) === notification ? [] : null));
  assert.throws(() => check(damaged), {
    name: 'Violation',
    rule: /^(no watch is lost|each watch)/,
  });
});

test('an event that was told twice is found', () => {
  const damaged = damageFrame((frame) => {
    return frame.readInt32BE(0) === notification ? [frame, frame] : null;
  });
  assert.throws(() => check(damaged), { rule: 'each watch fires once, in order' });
});

test('a session that ends although its client is heard is found', () => {
  // As if nobody had asked for its end.
  const ends = recorded.filter((entry) => {
    return (
      'sent' in entry && Buffer.from(entry.sent, 'base64').readInt32BE(8) === OpCode.closeSession
    );
  });
  const end = ends.at(-1) as RecordedEntry & { connection: number };
  const after = recorded.slice(recorded.indexOf(end) + 1);
  const answers = after.filter(
    (entry) => 'connection' in entry && entry.connection === end.connection,
  );
  const damaged = recorded.filter((entry) => entry !== end && !answers.includes(entry));
  assert.throws(() => check(damaged), { rule: 'nobody expires who is heard' });
});

test('two leaders of one epoch are found', () => {
  const led = recorded.find((entry) => 'role' in entry && entry.role === 'leading');
  assert.ok(led !== undefined && 'role' in led);
  const other = { ...led, member: led.member === 1 ? 2 : 1 };
  assert.throws(() => check([...recorded, other]), { rule: 'an epoch has one leader, once' });
});

test('a history that is wrong says in which line that shows, and one that is none says so', async () => {
  const folder = temporaryDirectory('history');
  const damaged = damageFrame((frame) => (frame.readInt32BE(0) === notification ? [] : null));
  const wrong = join(folder, 'wrong.jsonl');
  writeFileSync(wrong, damaged.map((entry) => JSON.stringify(entry)).join('\n'));
  await assert.rejects(checkHistory(wrong), /^Violation: .*: line \d+: /);
  const none = join(folder, 'none.jsonl');
  writeFileSync(none, '{}\nnot a line of a history\n');
  await assert.rejects(checkHistory(none), /Cannot read line 2 of .*: current value is not a line/);
});

/** Has the checkers look at it. */
function check(entries: readonly RecordedEntry[]): void {
  const history = new RecordedHistory({ tickTimeMs });
  for (const entry of entries) history.gather(entry);
  history.settle();
  for (const entry of entries) history.follow(entry);
  history.end();
}

interface FoundReply {
  readonly frame: Buffer;
  readonly zxid: number;
  readonly err: number;
  /** Of the reply before it on its connection. */
  readonly zxidBefore: number;
}

/** The history with one reply replaced: the first for which `damage` gives something else than null. */
function damageReply(damage: (reply: FoundReply) => Buffer[] | null): RecordedEntry[] {
  const newest = new Map<number, number>();
  return damageFrame((frame, connection) => {
    if (frame.readInt32BE(0) <= 0) return null;
    const zxid = Number(frame.readBigInt64BE(4));
    const zxidBefore = newest.get(connection) ?? 0;
    newest.set(connection, zxid);
    return damage({ frame, zxid, err: frame.readInt32BE(12), zxidBefore });
  });
}

/** The history with one frame to a client replaced, behind the first that a server says on a connection. */
function damageFrame(
  damage: (frame: Buffer, connection: number) => Buffer[] | null,
): RecordedEntry[] {
  const greeted = new Set<number>();
  let isDone = false;
  const entries = recorded.map((entry) => {
    if (!('received' in entry) || isDone) return entry;
    const frames = framesOf(Buffer.from(entry.received, 'base64')).flatMap((frame) => {
      const isWelcome = !greeted.has(entry.connection);
      greeted.add(entry.connection);
      const replaced = isWelcome || isDone ? null : damage(Buffer.from(frame), entry.connection);
      if (replaced !== null) isDone = true;
      return replaced ?? [frame];
    });
    return { ...entry, received: Buffer.concat(frames.flatMap(framed)).toString('base64') };
  });
  assert.ok(isDone, 'there was something to damage');
  return entries;
}

function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
    frames.push(bytes.subarray(at + 4, at + 4 + bytes.readInt32BE(at)));
  }
  return frames;
}

function framed(frame: Buffer): Buffer[] {
  const length = Buffer.alloc(4);
  length.writeInt32BE(frame.length);
  return [length, frame];
}

/** What stands in place of a request's number before an event. */
const notification = -1;
/** A number, a zxid and an error. */
const headerBytes = 16;
