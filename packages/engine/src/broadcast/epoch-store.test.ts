import assert from 'node:assert/strict';
import test from 'node:test';
import { asZxid, makeZxid } from '@meerkat/protocol';
import { EpochStore } from './epoch-store.ts';
import { PowerCut, SmallFiles } from './testing/small-files.ts';

const directory = '/data/version-2';

function loaded(disk: SmallFiles, lastZxid = 0): EpochStore {
  const store = new EpochStore(disk.disk);
  store.load(directory, asZxid(lastZxid));
  return store;
}

function epochsOf(store: EpochStore): string {
  return `current ${store.currentEpoch}, accepted ${store.acceptedEpoch}`;
}

test('a new member has promised nothing, and writes that down', () => {
  const disk = new SmallFiles();
  assert.equal(epochsOf(loaded(disk)), 'current 0, accepted 0');
  assert.deepEqual([...disk.files.values()], ['0', '0']);
});

test('a data directory from before there were epochs is of the epoch of its last transaction', () => {
  assert.equal(epochsOf(loaded(new SmallFiles(), makeZxid(4, 9))), 'current 4, accepted 4');
});

test('a promise and an epoch that was entered outlive the process', () => {
  const disk = new SmallFiles();
  const store = loaded(disk);
  store.accept(3);
  assert.equal(epochsOf(loaded(disk)), 'current 0, accepted 3');
  store.enter(3);
  assert.equal(epochsOf(loaded(disk)), 'current 3, accepted 3');
  store.accept(7);
  assert.equal(epochsOf(loaded(disk)), 'current 3, accepted 7');
});

test('a promise is on disk before anybody can be told of it', () => {
  const disk = new SmallFiles();
  const store = loaded(disk);
  disk.ordersLeft = 0;
  assert.throws(() => store.accept(3), PowerCut);
  assert.equal(epochsOf(store), 'current 0, accepted 0');
  store.load(directory, asZxid(0));
  assert.throws(() => store.enter(1), /promised first/);
});

test('a promise is never taken back, nor made twice', () => {
  const store = loaded(new SmallFiles());
  store.accept(3);
  assert.throws(() => store.accept(3), /a new epoch is promised/);
  assert.throws(() => store.accept(2), /a new epoch is promised/);
  store.enter(2);
  assert.throws(() => store.enter(1), /epochs do not go back/);
  assert.throws(() => store.enter(4), /an epoch is promised first/);
});

test('an epoch that was entered already is not written again', () => {
  const disk = new SmallFiles();
  const store = loaded(disk);
  store.accept(3);
  store.enter(3);
  disk.done.length = 0;
  store.enter(3);
  assert.deepEqual(disk.done, []);
});

test('a crash between the history of an epoch and its file is made good: the epoch was promised', () => {
  const disk = new SmallFiles();
  const store = loaded(disk);
  store.accept(1);
  store.enter(1);
  store.accept(2);
  // The history of epoch 2 is in the log, and the power is cut before `enter`.
  assert.equal(epochsOf(loaded(disk, makeZxid(2, 5))), 'current 2, accepted 2');
  assert.equal(disk.files.get(`${directory}/currentEpoch`), '2');
});

test('a crash while that is made good is made good too', () => {
  for (let orders = 0; orders < 3; orders++) {
    const disk = new SmallFiles();
    disk.files.set(`${directory}/currentEpoch`, '1');
    disk.files.set(`${directory}/acceptedEpoch`, '2');
    disk.ordersLeft = orders;
    try {
      loaded(disk, makeZxid(2, 5));
    } catch (error) {
      assert.ok(error instanceof PowerCut);
    }
    disk.ordersLeft = Number.POSITIVE_INFINITY;
    assert.equal(epochsOf(loaded(disk, makeZxid(2, 5))), 'current 2, accepted 2');
  }
});

test('a history of an epoch that was never promised is not believed', () => {
  const disk = new SmallFiles();
  disk.files.set(`${directory}/currentEpoch`, '1');
  disk.files.set(`${directory}/acceptedEpoch`, '1');
  assert.throws(() => loaded(disk, makeZxid(2, 1)), { kind: 'epochsDisagree' });
  disk.files.set(`${directory}/currentEpoch.tmp`, '2');
  assert.throws(() => loaded(disk, makeZxid(2, 1)), /accepted epoch 1.* current epoch 2/);
});

test('a file that holds no epoch is not guessed at', () => {
  for (const text of ['', ' ', 'two', '-1', '1.5', '0x2', '1\n2', '99999999999999999']) {
    const disk = new SmallFiles();
    disk.files.set(`${directory}/currentEpoch`, text);
    assert.throws(() => loaded(disk), { kind: 'epochsDisagree' }, text);
  }
  const disk = new SmallFiles();
  disk.files.set(`${directory}/currentEpoch`, ' 2\n');
  disk.files.set(`${directory}/acceptedEpoch`, '3\n');
  assert.equal(epochsOf(loaded(disk)), 'current 2, accepted 3');
});
