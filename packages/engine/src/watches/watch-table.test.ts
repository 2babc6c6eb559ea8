import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asZxid, EventType, utf8, WatcherType, type Zxid } from '@meerkat/protocol';
import fc from 'fast-check';
import { ModelWatches } from './testing/model-watches.ts';
import { AclOf, type WatchSink, WatchTable } from './watch-table.ts';

const zxid = asZxid(7);

/** Writes down what it is told as `watcher event path acl`. */
class Recorder implements WatchSink {
  told: string[] = [];

  deliver(
    watcher: number,
    type: EventType,
    bytes: Uint8Array,
    start: number,
    end: number,
    zxid: Zxid,
    aclOf: AclOf,
  ): void {
    const path = new TextDecoder().decode(bytes.subarray(start, end));
    const whose = aclOf === AclOf.node ? 'node' : 'parent';
    this.told.push(`${watcher} ${type} ${path} ${whose}`);
    assert.equal(zxid, 7);
  }

  take(): string[] {
    const told = this.told;
    this.told = [];
    return told;
  }
}

/** The table addressed by strings; paths stand in the middle of a longer array, as in a frame. */
class Harness {
  readonly table = new WatchTable();
  readonly sink = new Recorder();

  on<T>(path: string, call: (bytes: Uint8Array, start: number, end: number) => T): T {
    const bytes = utf8(`##${path}//##`);
    return call(bytes, 2, bytes.length - 4);
  }

  data(watcher: number, path: string): void {
    this.on(path, (b, s, e) => this.table.addData(watcher, b, s, e));
  }

  child(watcher: number, path: string): void {
    this.on(path, (b, s, e) => this.table.addChild(watcher, b, s, e));
  }

  persistent(watcher: number, path: string): void {
    this.on(path, (b, s, e) => this.table.addPersistent(watcher, b, s, e));
  }

  recursive(watcher: number, path: string): void {
    this.on(path, (b, s, e) => this.table.addPersistentRecursive(watcher, b, s, e));
  }

  created(path: string): string[] {
    this.on(path, (b, s, e) => this.table.nodeCreated(b, s, e, zxid, this.sink));
    return this.sink.take();
  }

  deleted(path: string): string[] {
    this.on(path, (b, s, e) => this.table.nodeDeleted(b, s, e, zxid, this.sink));
    return this.sink.take();
  }

  changed(path: string): string[] {
    this.on(path, (b, s, e) => this.table.nodeDataChanged(b, s, e, zxid, this.sink));
    return this.sink.take();
  }

  remove(watcher: number, path: string, type: WatcherType): boolean {
    return this.on(path, (b, s, e) => this.table.remove(watcher, b, s, e, type));
  }

  has(watcher: number, path: string, type: WatcherType): boolean {
    return this.on(path, (b, s, e) => this.table.has(watcher, b, s, e, type));
  }

  byWatcher(): Record<string, string[]> {
    const dump: Record<string, string[]> = {};
    for (const watcher of this.table.watchers()) {
      dump[watcher] = [...this.table.pathsOf(watcher)].sort();
    }
    return dump;
  }

  byPath(): Record<string, number[]> {
    const dump: Record<string, number[]> = {};
    for (const { path, watchers } of this.table.pathsWatched()) {
      dump[path] = [...watchers].sort((a, b) => a - b);
    }
    return dump;
  }

  counts(): number[] {
    const { watchCount, dataWatchCount, pathCount, watcherCount } = this.table;
    return [watchCount, dataWatchCount, pathCount, watcherCount];
  }
}

test('Tables: standard watches fire once, and once per connection, path and table', () => {
  const h = new Harness();
  h.data(1, '/a');
  h.data(1, '/a');
  h.data(2, '/a');
  h.child(1, '/a');
  assert.deepEqual(h.counts(), [3, 2, 1, 2]);
  assert.deepEqual(h.changed('/a'), ['1 3 /a node', '2 3 /a node']);
  assert.deepEqual(h.changed('/a'), []);
  assert.deepEqual(h.created('/a/b'), ['1 4 /a parent']);
  assert.deepEqual(h.created('/a/c'), []);
  assert.equal(h.table.watchCount, 0);
});

test('create(p): NodeCreated on p, then NodeChildrenChanged on the parent', () => {
  const h = new Harness();
  h.data(1, '/a/b');
  h.child(1, '/a');
  h.data(2, '/a');
  h.child(3, '/a/b');
  h.child(4, '/');
  assert.deepEqual(h.created('/a/b'), ['1 1 /a/b node', '1 4 /a parent']);
  assert.deepEqual(h.created('/a'), ['2 1 /a node', '4 4 / parent']);
});

test('delete(p): data table, then child table without those told, then the parent', () => {
  const h = new Harness();
  h.data(1, '/a/b');
  h.child(1, '/a/b');
  h.child(2, '/a/b');
  h.persistent(3, '/a/b');
  h.child(4, '/a');
  assert.deepEqual(h.deleted('/a/b'), [
    '1 2 /a/b node',
    '3 2 /a/b node',
    '2 2 /a/b node',
    '4 4 /a parent',
  ]);
  assert.deepEqual(h.deleted('/a/b'), ['3 2 /a/b node']);
});

test('delete(p): the last one-shot data watch still suppresses the child table', () => {
  const h = new Harness();
  h.data(1, '/a');
  h.child(1, '/a');
  assert.deepEqual(h.deleted('/a'), ['1 2 /a node']);
  h.child(1, '/a');
  assert.deepEqual(h.deleted('/a'), ['1 2 /a node']);
  assert.deepEqual(h.counts(), [0, 0, 0, 1]);
});

test('PERSISTENT: both tables, all four events, stays', () => {
  const h = new Harness();
  h.persistent(1, '/a');
  assert.deepEqual(h.counts(), [2, 1, 1, 1]);
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(h.created('/a'), ['1 1 /a node']);
    assert.deepEqual(h.changed('/a'), ['1 3 /a node']);
    assert.deepEqual(h.created('/a/b'), ['1 4 /a parent']);
    assert.deepEqual(h.deleted('/a/b'), ['1 4 /a parent']);
    assert.deepEqual(h.changed('/a/b'), []);
    assert.deepEqual(h.deleted('/a'), ['1 2 /a node']);
  }
});

test('PERSISTENT_RECURSIVE: the path and all below, never NodeChildrenChanged', () => {
  const h = new Harness();
  h.recursive(1, '/a');
  assert.deepEqual(h.created('/a'), ['1 1 /a node']);
  assert.deepEqual(h.created('/a/b'), ['1 1 /a/b node']);
  assert.deepEqual(h.created('/a/b/c'), ['1 1 /a/b/c node']);
  assert.deepEqual(h.changed('/a/b/c'), ['1 3 /a/b/c node']);
  assert.deepEqual(h.deleted('/a/b/c'), ['1 2 /a/b/c node']);
  assert.deepEqual(h.changed('/ab'), []);
  assert.deepEqual(h.changed('/'), []);
  h.recursive(2, '/');
  assert.deepEqual(h.changed('/a/b'), ['2 3 /a/b node', '1 3 /a/b node']);
  assert.deepEqual(h.changed('/'), ['2 3 / node']);
});

test('PERSISTENT_RECURSIVE: one event per connection however many ancestors it watches', () => {
  const h = new Harness();
  h.data(1, '/a/b');
  h.recursive(1, '/a');
  h.recursive(1, '/');
  h.child(1, '/a/b');
  assert.deepEqual(h.deleted('/a/b'), ['1 2 /a/b node']);
});

test('Modes on one path coexist: firing clears only STANDARD', () => {
  const h = new Harness();
  h.data(1, '/a');
  h.persistent(1, '/a');
  h.recursive(1, '/a');
  assert.deepEqual(h.counts(), [2, 1, 1, 1]);
  assert.equal(h.has(1, '/a', WatcherType.data), true);
  assert.deepEqual(h.changed('/a'), ['1 3 /a node']);
  assert.equal(h.has(1, '/a', WatcherType.data), false);
  assert.equal(h.has(1, '/a', WatcherType.persistent), true);
  assert.equal(h.has(1, '/a', WatcherType.persistentRecursive), true);
  assert.equal(h.remove(1, '/a', WatcherType.persistentRecursive), true);
  assert.deepEqual(h.changed('/a/b'), []);
  assert.deepEqual(h.changed('/a'), ['1 3 /a node']);
});

test('removeWatches types: 1 Children, 2 Data, 3 Any, 4 Persistent, 5 PersistentRecursive', () => {
  const setAll = (): Harness => {
    const h = new Harness();
    h.data(1, '/a');
    h.child(1, '/a');
    h.persistent(1, '/a');
    h.recursive(1, '/a');
    return h;
  };
  const { children, data, any, persistent, persistentRecursive } = WatcherType;
  const types = [children, data, persistent, persistentRecursive];
  for (const type of types) {
    const h = setAll();
    assert.equal(h.remove(2, '/a', type), false);
    assert.equal(h.remove(1, '/b', type), false);
    assert.equal(h.remove(1, '/a', type), true);
    assert.equal(h.remove(1, '/a', type), false);
    for (const other of types) assert.equal(h.has(1, '/a', other), other !== type);
  }
  const h = setAll();
  assert.equal(h.remove(1, '/a', any), true);
  assert.equal(h.has(1, '/a', any), false);
  assert.equal(h.remove(1, '/a', any), false);
  assert.deepEqual(h.counts(), [0, 0, 0, 0]);
});

test('recursive watches go first in the ring of a path, and back when they end', () => {
  const h = new Harness();
  for (const watcher of [1, 2, 3]) h.data(watcher, '/a');
  h.recursive(2, '/a');
  h.recursive(4, '/a');
  assert.deepEqual(h.changed('/a/b'), ['4 3 /a/b node', '2 3 /a/b node']);
  h.remove(2, '/a', WatcherType.persistentRecursive);
  assert.deepEqual(h.changed('/a/b'), ['4 3 /a/b node']);
  assert.deepEqual(h.changed('/a'), ['4 3 /a node', '1 3 /a node', '3 3 /a node', '2 3 /a node']);
});

test('Lifetime: a closed connection leaves nothing, its number serves another', () => {
  const h = new Harness();
  for (let i = 0; i < 300; i++) {
    h.data(1, `/a/${i}`);
    h.child(1, `/a/${i}`);
    h.data(2, `/a/${i}`);
  }
  assert.equal(h.table.removeWatcher(1, 100), false);
  assert.equal(h.table.removeWatcher(1, 250), true);
  assert.deepEqual(h.counts(), [300, 300, 300, 1]);
  assert.deepEqual(h.deleted('/a/7'), ['2 2 /a/7 node']);
  h.recursive(1, '/a');
  assert.deepEqual(h.changed('/a/8'), ['2 3 /a/8 node', '1 3 /a/8 node']);
  assert.equal(h.table.removeWatcher(1), true);
  assert.equal(h.table.removeWatcher(2), true);
  assert.equal(h.table.removeWatcher(3), true);
  assert.deepEqual(h.counts(), [0, 0, 0, 0]);
});

test('wchs: a watcher whose watches have all fired still counts, one that removed them does not', () => {
  const h = new Harness();
  h.data(1, '/a');
  h.data(2, '/a');
  h.changed('/a');
  assert.deepEqual(h.counts(), [0, 0, 0, 2]);
  assert.deepEqual(h.byWatcher(), { 1: [], 2: [] });
  h.data(2, '/b');
  h.remove(2, '/b', WatcherType.data);
  assert.deepEqual(h.counts(), [0, 0, 0, 1]);
});

test('wchc and wchp list the data table only', () => {
  const h = new Harness();
  h.data(1, '/a');
  h.data(2, '/a');
  h.recursive(1, '/b/ü');
  h.child(3, '/c');
  assert.deepEqual(h.byWatcher(), { 1: ['/a', '/b/ü'], 2: ['/a'] });
  assert.deepEqual(h.byPath(), { '/a': [1, 2], '/b/ü': [1] });
});

test('a sink may set and remove watches while it is told', () => {
  const h = new Harness();
  for (let watcher = 0; watcher < 200; watcher++) h.data(watcher, '/a');
  const told: number[] = [];
  const bytes = utf8('/a');
  h.table.nodeDataChanged(bytes, 0, 2, zxid, {
    deliver: (watcher) => {
      told.push(watcher);
      h.table.addData(watcher, bytes, 0, 2);
      if (watcher % 2 === 0) h.table.removeWatcher(watcher);
    },
  });
  assert.equal(told.length, 200);
  assert.equal(h.table.watchCount, 100);
});

test('paths of every length are kept apart and given back', () => {
  const h = new Harness();
  const paths = [1, 7, 8, 9, 255, 256, 257, 5000, 131_072, 131_073, 1_200_000].map(
    (length) => `/${'x'.repeat(length - 1)}`,
  );
  for (let round = 0; round < 3; round++) {
    for (const path of paths) h.data(round, path);
    const lengths = Object.keys(h.byPath()).map((path) => path.length);
    assert.deepEqual(
      lengths.sort((a, b) => a - b),
      paths.map((path) => path.length),
    );
    for (const path of paths) assert.equal(h.deleted(path).length, 1);
    assert.equal(h.table.pathCount, 0);
  }
});

test('paths may come and go while they are listed', () => {
  const h = new Harness();
  for (let i = 0; i < 100; i++) h.data(1, `/a${i}`);
  const listed: string[] = [];
  for (const path of h.table.pathsOf(1)) {
    listed.push(path);
    h.deleted(`/a${90 - listed.length}`);
    h.data(2, `/b${listed.length}`);
  }
  assert.ok(listed.length < 100 && listed.every((path) => path.startsWith('/a')));
  const paths: string[] = [];
  for (const { path } of h.table.pathsWatched()) {
    if (paths.length === 10) {
      h.table.removeWatcher(1);
      h.table.removeWatcher(2);
    }
    paths.push(path);
  }
  assert.equal(paths.length, 11);
});

test('there is room for watches up to their number', () => {
  const table = new WatchTable({ watchesMax: 10, watchBytesMax: 2 ** 30 });
  const bytes = utf8('/a');
  let set = 0;
  while (table.hasRoomFor(2)) table.addPersistent(set++, bytes, 0, 2);
  assert.equal(table.watchCount, 10);
  table.removeWatcher(0);
  assert.ok(table.hasRoomFor(2));
  assert.equal(table.refusedCount, 1);
});

test('there is room for paths up to their bytes, and again when they are gone', () => {
  const watchBytesMax = 20 * 1024 * 1024;
  const table = new WatchTable({ watchesMax: 1e6, watchBytesMax });
  const bytes = new Uint8Array(1024 * 1024).fill(0x61);
  bytes[0] = 0x2f;
  for (let round = 0; round < 3; round++) {
    for (const length of [8, 300, 5000, 100_000, 200_000, 1_000_000]) {
      let set = 0;
      for (; set < 1e5 && table.hasRoomFor(length); set++) {
        new DataView(bytes.buffer).setUint32(1, 0x61616161 + set);
        table.addData(set % 50, bytes, 0, length);
        assert.ok(table.pathBytes <= watchBytesMax, String(table.pathBytes));
      }
      assert.ok(set === 1e5 || set * length > watchBytesMax / 4, `${set} of ${length}`);
      for (let watcher = 0; watcher < 50; watcher++) table.removeWatcher(watcher);
      assert.equal(table.watchCount, 0);
    }
  }
});

test('what was told is counted by the kind of event', () => {
  const h = new Harness();
  h.data(1, '/a');
  h.data(2, '/a');
  h.child(3, '/');
  h.created('/a');
  h.changed('/a');
  const { nodeCreated, nodeDataChanged, nodeChildrenChanged } = EventType;
  assert.equal(h.table.told[nodeCreated].sum, 2);
  assert.equal(h.table.told[nodeChildrenChanged].sum, 1);
  assert.equal(h.table.told[nodeDataChanged].count, 0);
});

const path = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'ü'), { maxLength: 4 })
  .map((names) => `/${names.join('/')}`);
const watcher = fc.integer({ min: 0, max: 5 });
const kind = fc.constantFrom(
  'data' as const,
  'child' as const,
  'persistent' as const,
  'recursive' as const,
);
const change = fc.constantFrom('created' as const, 'deleted' as const, 'changed' as const);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: kind, watcher, path }) },
  { weight: 4, arbitrary: fc.record({ do: change, path }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('remove' as const),
      watcher,
      path,
      type: fc.constantFrom(...Object.values(WatcherType)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), watcher }) },
);

test('any sequence of calls agrees with the model of Java WatchManager', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const h = new Harness();
      const model = new ModelWatches();
      for (const s of steps) {
        if (s.do === 'remove') {
          const had = model.has(s.watcher, s.path, s.type);
          assert.equal(h.has(s.watcher, s.path, s.type), had);
          const removed = model.remove(s.watcher, s.path, s.type);
          assert.equal(h.remove(s.watcher, s.path, s.type), removed);
        } else if (s.do === 'close') {
          model.close(s.watcher);
          h.table.removeWatcher(s.watcher);
        } else if (s.do === 'created' || s.do === 'deleted' || s.do === 'changed') {
          if (s.path === '/' && s.do !== 'changed') continue;
          // Within one stage of an event ZooKeeper's order is that of a hash set.
          assert.deepEqual(inStages(h[s.do](s.path)), inStages(model[s.do](s.path)));
        } else if ('watcher' in s) {
          model[s.do](s.watcher, s.path);
          h[s.do](s.watcher, s.path);
        }
        assert.deepEqual(h.counts(), model.counts());
      }
      assert.deepEqual(h.byWatcher(), model.byWatcher());
      assert.deepEqual(h.byPath(), model.byPath());
    }),
    { numRuns: 300 },
  );
});

test('many watches of few paths and of many agree with the model', () => {
  const h = new Harness();
  const model = new ModelWatches();
  let state = 1;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % bound;
  };
  for (let i = 0; i < 30_000; i++) {
    const name = below(2) === 0 ? `/few/${below(5)}` : `/many/${below(20_000)}`;
    const who = below(500);
    const what = below(20);
    if (what < 14) {
      const add = what < 10 ? 'data' : what < 12 ? 'child' : what < 13 ? 'persistent' : 'recursive';
      h[add](who, name);
      model[add](who, name);
    } else if (what === 19) {
      h.table.removeWatcher(who);
      model.close(who);
    } else {
      const fire = what < 16 ? 'changed' : what < 18 ? 'deleted' : 'created';
      assert.deepEqual(inStages(h[fire](name)), inStages(model[fire](name)));
    }
  }
  assert.deepEqual(h.counts(), model.counts());
  assert.deepEqual(h.byWatcher(), model.byWatcher());
  assert.deepEqual(h.byPath(), model.byPath());
  for (let who = 0; who < 500; who++) h.table.removeWatcher(who);
  assert.deepEqual(h.counts(), [0, 0, 0, 0]);
});

/** Sorts what was told within runs of the same event. */
function inStages(told: readonly string[]): string[][] {
  const stages: string[][] = [];
  let event = '';
  for (const line of told) {
    const rest = line.slice(line.indexOf(' '));
    if (rest !== event) stages.push([]);
    event = rest;
    stages.at(-1)?.push(line);
  }
  return stages.map((stage) => stage.sort());
}
