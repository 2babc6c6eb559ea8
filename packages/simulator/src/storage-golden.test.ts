import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { recover, StorageError } from '@meerkat/engine';
import { formatLong, formatZxid, JuteReader, readTxnHeader } from '@meerkat/protocol';
import { ManualClock } from './manual-clock.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { ModelState } from './testing/model-state.ts';

const golden = new URL('../../engine/src/storage/testdata/java-3.8.0/', import.meta.url);

/** Reads what Java wrote; keeps the headers of its transactions as `expected.txt` prints them. */
class JavaState extends ModelState {
  readonly txns: string[] = [];
  nodeCount = 0;
  override readonly applyRecord = (bytes: Uint8Array, start: number, end: number): void => {
    const header = readTxnHeader(new JuteReader(bytes, start, end));
    const session = formatLong(header.clientIdHi, header.clientIdLo).slice(2);
    this.txns.push(
      `txn ${formatZxid(header.zxid).slice(2)} session=${session} cxid=${header.cxid} ` +
        `time=${header.time} type=${header.type}`,
    );
  };
  override loadNode(): void {
    this.nodeCount++;
  }
}

function load(name: string): SimulatedDisk {
  const disk = new SimulatedDisk(new ManualClock());
  const directory = new URL(`${name}/version-2/`, golden);
  for (const file of readdirSync(directory)) {
    disk.place(`/data/version-2/${file}`, readFileSync(new URL(file, directory)));
  }
  return disk;
}

const options = {
  dataDir: '/data',
  dataLogDir: '/data',
  datadirAutocreate: true,
  dbAutocreate: true,
  trustEmpty: false,
  withLastZxid: true,
  itemBytesMax: 0x1ffffe,
  groupBytesMax: 4 * 1024 * 1024,
  sync: true,
};

for (const name of readdirSync(golden)) {
  // Unpacking snappy takes a library that the server has; its tests read that directory.
  if (name === 'README.md' || name === 'snappy') continue;
  test(`reads what Java 3.8.0 wrote: ${name}`, () => {
    const expected = readFileSync(new URL(`${name}/expected.txt`, golden), 'utf8').split('\n');
    const disk = load(name);
    const state = new JavaState();
    const report = recover(disk, options, state);
    assert.equal(`zxid ${formatZxid(report.lastZxid).slice(2)}`, expected[0]);
    assert.deepEqual(report.skippedSnapshots, []);
    const snapshotZxid = report.snapshot?.zxid ?? 0;
    const txns = expected
      .filter((line) => line.startsWith('txn '))
      .filter((line) => Number.parseInt(line.split(' ')[1] ?? '', 16) > snapshotZxid)
      .map((line) => line.replace(/ digest=.*/, ''));
    assert.ok(txns.length > 0);
    assert.deepEqual(state.txns, txns);
    assert.ok(state.nodeCount >= 4);
    const torn = name === 'torn-tail';
    assert.equal(report.repairs.length, torn ? 1 : 0);
    // Once repaired, a second start finds nothing to repair.
    const second = recover(disk, options, new JavaState());
    assert.equal(second.lastZxid, report.lastZxid);
    assert.deepEqual(second.repairs, []);
  });
}

test('a byte changed anywhere in a snapshot is noticed', () => {
  const intact = load('rolled');
  const content = intact.contentOf('/data/version-2/snapshot.38');
  for (let at = 0; at < content.length; at += 37) {
    const disk = load('rolled');
    disk.corrupt('/data/version-2/snapshot.38', at, (content[at] as number) ^ 0x10);
    const report = recover(disk, options, new JavaState());
    assert.equal(report.skippedSnapshots[0]?.file, '/data/version-2/snapshot.38', `offset ${at}`);
    assert.equal(report.snapshot?.zxid, 0x27);
    assert.equal(report.lastZxid, 0x3f);
  }
});

test('a damaged snapshot whose transactions are not all in the logs is refused', () => {
  const disk = load('rolled');
  disk.corrupt('/data/version-2/snapshot.38', 100, 0xff);
  disk.remove('/data/version-2/log.29');
  disk.remove('/data/version-2/log.3a');
  assert.throws(
    () => recover(disk, options, new JavaState()),
    (error) => error instanceof StorageError && error.kind === 'snapshotDamaged',
  );
});

test('a hole between two logs is named', () => {
  const disk = load('rolled');
  for (const name of ['27', '38', '18', 'd']) disk.remove(`/data/version-2/snapshot.${name}`);
  disk.remove('/data/version-2/log.1a');
  assert.throws(() => recover(disk, options, new JavaState()), {
    name: 'StorageError',
    kind: 'logGap',
    file: '/data/version-2/log.29',
    offset: 16,
    record: 0,
    message: /0x19 to 0x29/,
  });
});

test('a byte changed in a log record is damage, not the end of the log', () => {
  const intact = load('log-only');
  const content = intact.contentOf('/data/version-2/log.1');
  let damaged = 0;
  for (let at = 16; at < content.length; at += 101) {
    const disk = load('log-only');
    disk.corrupt('/data/version-2/log.1', at, (content[at] as number) ^ 0x10);
    assert.throws(
      () => recover(disk, options, new JavaState()),
      (error) => error instanceof StorageError && error.kind === 'logRecordDamaged',
      `offset ${at}`,
    );
    damaged++;
  }
  assert.ok(damaged > 80);
});
