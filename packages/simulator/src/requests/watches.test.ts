import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddWatchMode, ErrorCode, EventType, OpCode, WatcherType } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import {
  acl,
  auth,
  create,
  ephemeral,
  exists,
  getChildren,
  getData,
  multi,
  type Operation,
  onPathWith,
  remove,
  setAcl,
  setData,
  setWatches,
} from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';

const { nodeCreated, nodeDeleted, nodeDataChanged, nodeChildrenChanged } = EventType;

function start(): [InProcessServer, ScriptedClient, ScriptedClient] {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  const other = ScriptedClient.open(server);
  client.take();
  other.take();
  return [server, client, other];
}

function addWatch(path: string, mode: number): Operation {
  return onPathWith(OpCode.addWatch, path, mode);
}

function eventsOf(client: ScriptedClient): [number, string][] {
  return client.takeEvents().map(({ type, path }) => [type, path]);
}

test('a one-shot watch fires once, and carries the zxid of the change', () => {
  const [, client, other] = start();
  client.call(...exists('/a', true));
  const { zxid } = other.call(...create('/a'));
  other.call(...setData('/a', ''));
  assert.deepEqual(client.takeEvents(), [{ type: nodeCreated, path: '/a', zxid }]);
  client.call(...getData('/a', true));
  client.call(...exists('/a', true));
  other.call(...setData('/a', ''));
  other.call(...remove('/a'));
  assert.deepEqual(eventsOf(client), [[nodeDataChanged, '/a']]);
});

test('reads of what is not there leave no watch, but exists does', () => {
  const [server, client] = start();
  client.call(...getData('/a', true));
  client.call(...getChildren('/a', true));
  assert.equal(server.replica.state.watches.watchCount, 0);
  client.call(...exists('/a', true));
  assert.equal(server.replica.state.watches.watchCount, 1);
});

test('a deletion is one event for who watches data and children, then one for the parent', () => {
  const [, client, other] = start();
  other.call(...create('/a'));
  other.call(...create('/a/b'));
  client.call(...getData('/a/b', true));
  client.call(...getChildren('/a/b', true));
  client.call(...getChildren('/a', true));
  other.call(...remove('/a/b'));
  assert.deepEqual(eventsOf(client), [
    [nodeDeleted, '/a/b'],
    [nodeChildrenChanged, '/a'],
  ]);
});

test('the event comes before the reply that shows the change, own writes too', () => {
  const [server, client] = start();
  client.send(...exists('/a', true));
  client.send(...create('/a'));
  client.send(...getChildren('/', true));
  client.send(...multi([setData('/a', ''), create('/a/b'), remove('/a/b'), create('/c')]));
  client.send(...exists('/c'));
  server.settle();
  assert.deepEqual(client.takeSummary(), [
    '#1!-101',
    'event 1 /a',
    '#2',
    '#3',
    'event 4 /',
    '#4',
    '#5',
  ]);
});

test('a persistent watch stays, a recursive one sees all below and no children event', () => {
  const [, client, other] = start();
  assert.equal(client.call(...addWatch('/p', AddWatchMode.persistent)).body.readInt(), 0);
  other.call(...create('/p'));
  other.call(...create('/p/x'));
  other.call(...setData('/p/x', ''));
  other.call(...setData('/p', ''));
  other.call(...remove('/p/x'));
  other.call(...remove('/p'));
  assert.deepEqual(eventsOf(client), [
    [nodeCreated, '/p'],
    [nodeChildrenChanged, '/p'],
    [nodeDataChanged, '/p'],
    [nodeChildrenChanged, '/p'],
    [nodeDeleted, '/p'],
  ]);
  other.call(...addWatch('/r', AddWatchMode.persistentRecursive));
  client.call(...create('/r'));
  client.call(...create('/r/x'));
  client.call(...create('/r/x/y'));
  client.call(...create('/rr'));
  client.call(...setData('/r/x/y', ''));
  client.call(...remove('/r/x/y'));
  assert.deepEqual(eventsOf(other), [
    [nodeCreated, '/r'],
    [nodeCreated, '/r/x'],
    [nodeCreated, '/r/x/y'],
    [nodeDataChanged, '/r/x/y'],
    [nodeDeleted, '/r/x/y'],
  ]);
});

test('modes on one path stand beside each other, and are one event', () => {
  const [, client, other] = start();
  other.call(...create('/a'));
  client.call(...getData('/a', true));
  client.call(...addWatch('/a', AddWatchMode.persistent));
  client.call(...addWatch('/a', AddWatchMode.persistentRecursive));
  other.call(...setData('/a', ''));
  other.call(...setData('/a', ''));
  assert.equal(eventsOf(client).length, 2);
});

test('setACL and quota sums are no changes', () => {
  const [, client, other] = start();
  other.call(...create('/a'));
  client.call(...addWatch('/a', AddWatchMode.persistent));
  other.call(...setAcl('/a', acl('world', 'anyone')));
  assert.deepEqual(eventsOf(client), []);
});

test('who may not read is not told, and the watch is used up', () => {
  const [, client, other] = start();
  other.call(...auth('digest', 'owner:pw'), -4);
  client.call(...exists('/secret', true));
  client.call(...getChildren('/', true));
  other.call(...create('/secret', { acl: acl('auth', '') }));
  assert.deepEqual(eventsOf(client), [[nodeChildrenChanged, '/']]);
  other.call(...setAcl('/secret', acl('world', 'anyone')));
  other.call(...setData('/secret', ''));
  assert.deepEqual(eventsOf(client), []);
});

test('an ephemeral that goes with its session is told like a deletion', () => {
  const [server, client, other] = start();
  other.call(...create('/p'));
  other.call(...ephemeral('/p/e'));
  client.call(...exists('/p/e', true));
  client.call(...getChildren('/p', true));
  other.send(OpCode.closeSession);
  server.settle();
  assert.deepEqual(eventsOf(client), [
    [nodeDeleted, '/p/e'],
    [nodeChildrenChanged, '/p'],
  ]);
});

test('removeWatches and checkWatches name kinds of watches', () => {
  const [, client, other] = start();
  other.call(...create('/a'));
  const on = (type: number, kind: number): number =>
    client.call(...onPathWith(type, '/a', kind)).err;
  client.call(...getData('/a', true));
  assert.equal(on(OpCode.checkWatches, WatcherType.data), 0);
  assert.equal(on(OpCode.checkWatches, WatcherType.children), ErrorCode.noWatcher);
  assert.equal(on(OpCode.checkWatches, WatcherType.any), 0);
  assert.equal(on(OpCode.removeWatches, WatcherType.children), ErrorCode.noWatcher);
  assert.equal(on(OpCode.removeWatches, WatcherType.data), 0);
  assert.equal(on(OpCode.removeWatches, WatcherType.data), ErrorCode.noWatcher);
  client.call(...getChildren('/a', true));
  client.call(...addWatch('/a', AddWatchMode.persistent));
  client.call(...addWatch('/a', AddWatchMode.persistentRecursive));
  assert.equal(on(OpCode.removeWatches, WatcherType.persistent), 0);
  assert.equal(on(OpCode.checkWatches, WatcherType.persistentRecursive), 0);
  assert.equal(on(OpCode.removeWatches, WatcherType.any), 0);
  assert.equal(on(OpCode.removeWatches, 9), ErrorCode.marshallingError);
  assert.equal(client.call(...addWatch('/a', 7)).err, ErrorCode.marshallingError);
  other.call(...setData('/a', ''));
  other.call(...create('/a/b'));
  assert.deepEqual(eventsOf(client), []);
});

test('setWatches tells what was missed before its reply, and sets the rest', () => {
  const [server, client, other] = start();
  for (const path of ['/same', '/changed', '/gone', '/parent', '/quiet']) {
    other.call(...create(path));
  }
  const { zxid } = other.call(...exists('/same'));
  other.call(...setData('/changed', ''));
  other.call(...remove('/gone'));
  other.call(...create('/new'));
  other.call(...create('/parent/x'));
  client.send(
    ...setWatches(zxid, {
      data: ['/same', '/changed', '/gone'],
      exist: ['/new', '/never'],
      child: ['/parent', '/quiet', '/gone'],
    }),
    -8,
  );
  server.settle();
  const received = client.take();
  assert.ok(received.slice(0, 5).every((each) => each.kind === 'event' && each.zxid === -1));
  client.received = received;
  assert.deepEqual(client.takeSummary(), [
    'event 3 /changed',
    'event 2 /gone',
    'event 1 /new',
    'event 4 /parent',
    'event 2 /gone',
    '#-8',
  ]);
  for (const path of ['/same', '/changed', '/new', '/parent']) other.call(...setData(path, ''));
  other.call(...create('/never'));
  other.call(...create('/quiet/x'));
  assert.deepEqual(eventsOf(client), [
    [nodeDataChanged, '/same'],
    [nodeCreated, '/never'],
    [nodeChildrenChanged, '/quiet'],
  ]);
});

test('setWatches2 sets persistent watches again without looking back', () => {
  const [, client, other] = start();
  other.call(...create('/a'));
  client.call(...setWatches(0, { persistent: ['/a'], recursive: ['/r'] }));
  assert.deepEqual(eventsOf(client), []);
  other.call(...create('/a/x'));
  other.call(...create('/r'));
  other.call(...create('/r/x'));
  assert.deepEqual(eventsOf(client), [
    [nodeChildrenChanged, '/a'],
    [nodeCreated, '/r'],
    [nodeCreated, '/r/x'],
  ]);
});

test('a malformed setWatches sets nothing', () => {
  const [server, client] = start();
  const [type, write] = setWatches(0, { exist: ['/a', '/b'] });
  const reply = client.call(type, (writer) => {
    write(writer);
    writer.length -= 2;
  });
  assert.equal(reply.err, ErrorCode.marshallingError);
  assert.equal(server.replica.state.watches.watchCount, 0);
});

test('watches go with their connection', () => {
  const [server, client, other] = start();
  for (let i = 0; i < 12_000; i++) client.send(...exists(`/n${i}`, true));
  server.settle();
  client.take();
  assert.equal(server.replica.state.watches.watchCount, 12_000);
  client.disconnect();
  server.settle();
  // In slices, so that nobody waits for it.
  server.advance(1000);
  assert.equal(server.replica.state.watches.watchCount, 0);
  assert.equal(other.call(...create('/n5')).err, 0);
});
