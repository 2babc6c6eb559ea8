import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type DiskError,
  listSnapshots,
  readSnapshot,
  type SnapshotDigest,
  type SnapshotSource,
  type SnapshotTarget,
  SnapshotWriter,
  type SnapshotWriterOptions,
  type WrittenSnapshot,
} from '@meerkat/engine';
import { asZxid, type JuteReader, JuteWriter, type Zxid } from '@meerkat/protocol';
import { ManualClock } from './manual-clock.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const directory = '/data';
const golden = new URL('../../engine/src/storage/testdata/java-3.8.0/', import.meta.url);

/** Keeps the parts of a snapshot as they are, and gives them back. */
class Parts implements SnapshotTarget, SnapshotSource {
  zxid: Zxid = asZxid(0);
  readonly sessions = new JuteWriter();
  sessionCount = 0;
  acls: Uint8Array = new Uint8Array(0);
  nodes: Uint8Array[] = [];
  kept: SnapshotDigest | null = null;
  cursorsOpen = 0;
  /** Called before each znode. */
  onNode: () => void = () => undefined;

  reset(): void {}
  loadSession(idHi: number, idLo: number, timeoutMs: number): void {
    this.sessionCount++;
    this.sessions.writeLong(idHi, idLo);
    this.sessions.writeInt(timeoutMs);
  }
  loadAcls(reader: JuteReader): void {
    this.acls = reader.bytes.slice(reader.position, reader.end);
  }
  loadNode(bytes: Uint8Array, start: number, end: number): void {
    this.nodes.push(bytes.slice(start, end));
  }
  finishLoad(zxid: Zxid, digest: SnapshotDigest | null): void {
    this.zxid = zxid;
    this.kept = digest;
  }
  lastZxid(): Zxid {
    return this.zxid;
  }
  writeSessions(writer: JuteWriter): void {
    writer.writeInt(this.sessionCount);
    writer.writeBytes(this.sessions.bytes, 0, this.sessions.length);
  }
  writeAcls(writer: JuteWriter): void {
    writer.writeBytes(this.acls, 0, this.acls.length);
  }
  openCursor() {
    let next = 0;
    this.cursorsOpen++;
    return {
      writeNext: (writer: JuteWriter): boolean => {
        this.onNode();
        const node = this.nodes[next++];
        if (node !== undefined) writer.writeBytes(node, 0, node.length);
        return node !== undefined;
      },
      close: () => {
        this.cursorsOpen--;
      },
    };
  }
  digest(): SnapshotDigest | null {
    return this.kept;
  }
}

function manyNodes(count: number): Parts {
  const parts = new Parts();
  const writer = new JuteWriter();
  writer.writeInt(0);
  parts.acls = writer.toBytes();
  for (let i = 0; i < count; i++) {
    writer.clear();
    writer.writeString(i === 0 ? '' : `/n${i}`);
    writer.writeBuffer(new Uint8Array(100).fill(i));
    writer.writeBytes(new Uint8Array(68), 0, 68);
    parts.nodes.push(writer.toBytes());
  }
  parts.zxid = asZxid(count);
  return parts;
}

function setUp(options: Partial<SnapshotWriterOptions> = {}) {
  const clock = new ManualClock();
  const disk = new SimulatedDisk(clock, { latencyMs: 1 });
  disk.makeDirectory(directory);
  const written: WrittenSnapshot[] = [];
  const failed: DiskError[] = [];
  const writer = new SnapshotWriter(
    disk,
    clock,
    {
      directory,
      packing: 'none',
      withLastZxid: false,
      sliceMs: 2,
      sliceBytes: 4096,
      beforeNaming: (done) => done(null),
      ...options,
    },
    {
      onSnapshotWritten: (snapshot) => written.push(snapshot),
      onSnapshotFailed: (_zxid, error) => failed.push(error),
    },
  );
  return { clock, disk, written, failed, writer };
}

for (const name of ['restarted', 'rolled', 'no-digest', 'log-only']) {
  test(`a snapshot of Java, read and written again, is the same file: ${name}`, () => {
    const javaDirectory = new URL(`${name}/version-2/`, golden);
    for (const file of readdirSync(javaDirectory)) {
      if (!file.startsWith('snapshot.')) continue;
      const { clock, disk, writer, failed } = setUp({ sliceBytes: 700 });
      const content = new Uint8Array(readFileSync(new URL(file, javaDirectory)));
      disk.place(`/java/${file}`, content);
      const [found] = listSnapshots(disk, '/java');
      assert.ok(found);
      const parts = new Parts();
      const loaded = readSnapshot(disk, found, parts, 0x1ffffe);
      assert.ok('nodeCount' in loaded);
      // An empty digest is written, and read as none.
      if (name !== 'no-digest') {
        parts.kept ??= { zxid: asZxid(0), version: 2, digestHi: 0, digestLo: 0 };
      }
      writer.start(parts);
      clock.runToEnd();
      assert.deepEqual(failed, []);
      assert.deepEqual(disk.contentOf(`${directory}/${file}`), content);
    }
  });
}

test('slices rest as long as they took, and wait for the disk', () => {
  const { clock, disk, written, writer } = setUp({ sliceBytes: 1_000_000 });
  const parts = manyNodes(1000);
  // Serializing takes virtual time: each slice is over when its 2 ms are.
  parts.onNode = () => clock.advance(0.05);
  assert.ok(writer.start(parts));
  assert.ok(writer.busy);
  let steps = 0;
  while (written.length === 0) {
    const before = clock.monotonicMs();
    assert.ok(clock.step());
    const stepMs = clock.monotonicMs() - before;
    assert.ok(stepMs < 15, `${stepMs}`);
    steps++;
    assert.ok(steps < 1000);
  }
  assert.ok(steps > 30, `${steps}`);
  assert.equal(written[0]?.nodeCount, 1000);
  assert.equal(parts.cursorsOpen, 0);
  assert.deepEqual(disk.list(directory), ['snapshot.3e8']);
});

test('the name comes last, when the log is durable', () => {
  let release: () => void = () => undefined;
  const { clock, disk, written, writer } = setUp({
    beforeNaming: (done) => {
      release = () => done(null);
    },
  });
  writer.start(manyNodes(100));
  clock.runToEnd();
  assert.deepEqual(disk.list(directory), ['unfinished-snapshot.64']);
  assert.equal(written.length, 0);
  release();
  clock.runToEnd();
  assert.deepEqual(disk.list(directory), ['snapshot.64']);
  assert.equal(writer.busy, false);
});

test('a failure at any order is reported, leaves nothing behind, and does not prevent the next', () => {
  for (let number = 0; number < 12; number++) {
    const { clock, disk, written, failed, writer } = setUp();
    disk.place(`${directory}/snapshot.5`, new Uint8Array(20));
    disk.fault = (order) => (order.number === number && order.kind !== 'remove' ? 'ENOSPC' : null);
    const parts = manyNodes(100);
    assert.ok(writer.start(parts));
    clock.runToEnd();
    assert.equal(failed.length + written.length, 1, `order ${number}`);
    if (failed.length > 0) assert.deepEqual(disk.list(directory), ['snapshot.5']);
    disk.fault = () => null;
    assert.ok(writer.start(parts));
    clock.runToEnd();
    assert.equal(written.at(-1)?.zxid, 100);
    assert.deepEqual(disk.list(directory), ['snapshot.5', 'snapshot.64']);
  }
});

test('a snapshot is given up when the replica stops', () => {
  const { clock, disk, written, failed, writer } = setUp();
  const parts = manyNodes(2000);
  writer.start(parts);
  for (let i = 0; i < 5; i++) clock.step();
  let stopped = false;
  writer.stop(() => {
    stopped = true;
  });
  clock.runToEnd();
  assert.deepEqual([stopped, written.length, failed.length], [true, 0, 0]);
  assert.deepEqual(disk.list(directory), []);
  assert.equal(parts.cursorsOpen, 0);
  // A writer that does nothing stops at once.
  stopped = false;
  writer.stop(() => {
    stopped = true;
  });
  assert.ok(stopped);
});

test('a snapshot that does not fit is not begun', () => {
  const { clock, disk, failed, writer } = setUp();
  writer.start(manyNodes(100));
  clock.runToEnd();
  disk.freeBytes = () => 1000;
  writer.start(manyNodes(100));
  clock.runToEnd();
  assert.deepEqual(
    failed.map((error) => error.code),
    ['ENOSPC'],
  );
  assert.equal(writer.busy, false);
});
