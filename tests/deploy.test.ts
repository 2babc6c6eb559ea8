import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfigurationFile } from '@meerkat/server';
import { repositoryRoot, temporaryDirectory } from './peers/support/paths.ts';

/* What the files under deploy/ and the guide say is something that a server starts with. */

test('the configuration of the StatefulSet is one of three members', () => {
  const manifest = readFileSync(join(repositoryRoot, 'deploy/kubernetes/meerkat.yaml'), 'utf8');
  const block = /^ {2}zoo\.cfg: \|\n((?: {4}.*\n)+)/m.exec(manifest)?.[1] ?? '';
  requireMembers(block.replaceAll(/^ {4}/gm, ''), 3);
  const replicas = /^ {2}replicas: (\d+)$/m.exec(manifest)?.[1];
  assert.equal(replicas, '3');
});

test('the configuration of docs/running-an-ensemble.md is one of three members', () => {
  const guide = readFileSync(join(repositoryRoot, 'docs/running-an-ensemble.md'), 'utf8');
  requireMembers(/```properties\n([\s\S]*?)```/.exec(guide)?.[1] ?? '', 3);
});

function requireMembers(text: string, count: number): void {
  const directory = temporaryDirectory('deploy');
  const dataDir = join(directory, 'data');
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, 'myid'), '2\n');
  const path = join(directory, 'zoo.cfg');
  writeFileSync(path, text.replace(/^dataDir=.*$/m, `dataDir=${dataDir}`));
  const { config, remarks } = readConfigurationFile(path);
  assert.deepEqual(remarks, []);
  assert.equal(config.replica.ensemble?.myId, 2);
  assert.equal(config.replica.ensemble.members.members.size, count);
}
