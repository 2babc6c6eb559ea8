import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { pointToDynamicFile } from './static-configuration.ts';

const before = `# Ours
dataDir=/data
clientPort=2181
clientPortAddress 127.0.0.1

# Members
server.1=a:2888:3888
server.2=\\
  b:2888:3888
group.1=1:2
weight.1=3
peerType=observer
tickTime=500
`;

test('members move out of zoo.cfg, everything else stays where it is', (t) => {
  const path = join(temporaryDirectory(t), 'zoo.cfg');
  writeFileSync(path, before);
  pointToDynamicFile(path, '/etc/zoo.cfg.dynamic.100000003', false);
  const kept = `# Ours
dataDir=/data
clientPort=2181
clientPortAddress 127.0.0.1

# Members

tickTime=500
dynamicConfigFile=/etc/zoo.cfg.dynamic.100000003
`;
  assert.equal(readFileSync(path, 'latin1'), kept);
  assert.equal(readFileSync(`${path}.bak`, 'latin1'), before);

  pointToDynamicFile(path, '/etc/zoo.cfg.dynamic.200000001', true);
  assert.equal(readFileSync(`${path}.bak`, 'latin1'), before);
  assert.equal(
    readFileSync(path, 'latin1'),
    `# Ours
dataDir=/data

# Members

tickTime=500
dynamicConfigFile=/etc/zoo.cfg.dynamic.200000001
`,
  );
});
