import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '@meerkat/client';
import { repositoryRoot } from './peers/support/paths.ts';
import { type PeerName, peerTest } from './peers/support/peers.ts';
import { defaultTarget, withServer } from './peers/support/server-under-test.ts';

/*
 * The examples run, show what they are there to show, and end by themselves: each with a Meerkat of its own, or with
 * `PEER_TARGET=java` on a Java server that it is given.
 */

const folder = join(repositoryRoot, 'examples');
const serverPeers: PeerName[] = defaultTarget === 'java' ? ['java', 'zookeeper.jar'] : [];

const examples: readonly {
  readonly name: string;
  readonly peers?: readonly PeerName[];
  readonly says: readonly RegExp[];
}[] = [
  {
    name: 'distributed-lock',
    says: [
      /without a lock: 20 sold of 10/,
      /with a lock: +10 sold of 10/,
      /Cannot write with token/,
    ],
  },
  { name: 'leader-election', says: [/run 9 times, by one at a time/, /NoNodeError/] },
  { name: 'work-queue', says: [/all 20 images are done/] },
  {
    name: 'two-phase-transfer',
    says: [/committed: north 70, south 80/, /aborted: north 70/, /back: north 90, south 60/],
  },
  {
    name: 'service-discovery',
    says: [/two providers: \{ (ada|cem): \d+, (ada|cem): \d+ \}/, /knows two instances/],
  },
  {
    name: 'config-center',
    peers: ['mariadb'],
    says: [/green, .*: in use/, /refused by the database/, /^0 requests failed/m],
  },
];

for (const { name, peers = [], says } of examples) {
  peerTest(`example ${name}`, [...serverPeers, ...peers], async () => {
    const said =
      defaultTarget === 'java'
        ? await withServer({}, (server) => run(name, server.connectString))
        : await run(name, '');
    for (const text of says) assert.match(said, text);
  });
}

peerTest('an example leaves nothing on a server that it was given', serverPeers, () =>
  withServer({}, async (server) => {
    await run('two-phase-transfer', server.connectString);
    const zk = await connect(server.connectString);
    assert.deepEqual(await zk.getChildren('/'), ['zookeeper']);
    await zk.close();
  }),
);

test('every example is listed, and started by one command', () => {
  const list = readFileSync(join(folder, 'README.md'), 'utf8');
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'main.ts')));
  assert.deepEqual(names.sort(), examples.map(({ name }) => name).sort());
  for (const name of names) {
    assert.ok(list.includes(`(${name}/README.md)`), name);
    const { scripts } = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as {
      scripts: { start: string };
    };
    assert.equal(scripts.start, `node ../../tools/example.mjs ${name}`);
  }
});

/** Runs an example to its end, and returns what it said. */
async function run(name: string, zkConnect: string): Promise<string> {
  const child = spawn(process.execPath, [join(folder, 'dist', name, 'main.js')], {
    env: { ...process.env, ZK_CONNECT: zkConnect },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 100_000,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, said);
  return said;
}
