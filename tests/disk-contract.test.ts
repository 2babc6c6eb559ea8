import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NodeDisk } from '@meerkat/server';
import { diskContract } from '@meerkat/simulator';

// The same rules hold for the simulated disk: packages/simulator/src/simulated-disk.test.ts.
for (const { name, check } of diskContract) {
  test(`the disk of this machine: ${name}`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'meerkat-disk-'));
    try {
      const disk = new NodeDisk();
      await check({ disk, directory, snappy: true, settle: () => Promise.resolve() });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}
