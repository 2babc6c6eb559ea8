import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskError } from '@meerkat/engine';
import { withDiskAdvice } from './disk-advice.ts';

test('a disk that is full is told with what to do about it', () => {
  const { message } = new DiskError('ENOSPC', '/data/version-2/log.1', 'write');
  assert.equal(
    withDiskAdvice(message),
    'Cannot write /data/version-2/log.1: the system says ENOSPC; make room on that disk, then start the server again; its data is as it was',
  );
});

test('what the system says otherwise stands as it is', () => {
  const { message } = new DiskError('ENXIO', '/data', 'read');
  assert.equal(withDiskAdvice(message), message);
});
