import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type Disk, type DiskDone, defaultReplicaConfig } from '@meerkat/engine';
import { silentLog } from './logging/log.ts';
import { NodeDisk } from './ports/node-disk.ts';
import { PurgeTask } from './purge-task.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { temporaryDirectory } from './testing/temporary-directory.ts';

/** What a snapshot begins and ends with; a purge looks at no more. */
const snapshotBytes = Buffer.from(
  '5a4b534e00000002ffffffffffffffff0000000000000000000000012f',
  'hex',
);

/** A disk that tells when a file is gone. */
class WatchedDisk extends NodeDisk implements Disk {
  removed = 0;
  #wake: () => void = () => {};

  override removeLater(path: string, done: DiskDone): void {
    super.removeLater(path, (error) => {
      this.removed += 1;
      done(error);
      this.#wake();
    });
  }

  async untilRemoved(count: number): Promise<void> {
    while (this.removed < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

test('a purge keeps the newest snapshots and the logs they need, at the start and at every interval', async (t) => {
  const directory = temporaryDirectory(t);
  const add = (...zxids: number[]): void => {
    for (const zxid of zxids) {
      writeFileSync(join(directory, `snapshot.${zxid.toString(16)}`), snapshotBytes);
      writeFileSync(join(directory, `log.${(zxid + 1).toString(16)}`), '');
    }
  };
  add(1, 2, 3, 4, 5);
  const clock = new ManualClock();
  const disk = new WatchedDisk();
  const config = { ...defaultReplicaConfig.snapshot, purgeIntervalMs: 3_600_000 };
  const directories = { snapshots: directory, logs: directory, dataDir: '', dataLogDir: '' };
  const task = new PurgeTask({ clock, disk }, config, directories, silentLog);
  task.start();
  await disk.untilRemoved(3);
  const kept = ['log.3', 'log.4', 'log.5', 'log.6', 'snapshot.3', 'snapshot.4', 'snapshot.5'];
  assert.deepEqual(readdirSync(directory).sort(), kept);
  add(6);
  clock.advance(3_600_000);
  await disk.untilRemoved(5);
  assert.ok(!readdirSync(directory).includes('snapshot.3'));
  task.stop();
  assert.equal(clock.armed, 0);
});

test('without an interval nothing is purged', () => {
  const clock = new ManualClock();
  const directories = { snapshots: '', logs: '', dataDir: '', dataLogDir: '' };
  const ports = { clock, disk: new NodeDisk() };
  new PurgeTask(ports, defaultReplicaConfig.snapshot, directories, silentLog).start();
  assert.equal(clock.armed, 0);
});
