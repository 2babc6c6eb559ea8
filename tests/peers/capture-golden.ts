/**
 * Records what real clients and a real Java server say to each other, as fixtures for the unit tests:
 * packages/protocol/src/testdata/golden/*.json (frames) and packages/engine/src/storage/testdata/java-3.8.0/ (data
 * directories). Run by hand, after a build, where the peers are installed: node tests/dist/peers/capture-golden.js
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { captureDataDirectories } from './capture-data-directories.ts';
import { handMadeExchanges } from './capture-hand-made.ts';
import { track } from './support/child-processes.ts';
import type { GoldenFrame } from './support/golden-frame.ts';
import { javaArguments } from './support/java-programs.ts';
import { programsDirectory, repositoryRoot } from './support/paths.ts';
import { javaZooKeeperVersion, pythonPath } from './support/peers.ts';
import { type RecordedFrame, RecordingProxy } from './support/recording-proxy.ts';
import { ServerUnderTest } from './support/server-under-test.ts';

const goldenDirectory = join(repositoryRoot, 'packages/protocol/src/testdata/golden');

mkdirSync(goldenDirectory, { recursive: true });
const server = await ServerUnderTest.start({
  target: 'java',
  config: { reconfigEnabled: 'true' },
  systemProperties: { 'zookeeper.extendedTypesEnabled': 'true' },
});
try {
  await captureClient(
    'java-client',
    'The Java client, every operation once',
    'java',
    await javaArguments('GoldenClient'),
  );
  await captureClient('kazoo', 'kazoo 2.8.0, its usual operations', pythonPath, [
    join(programsDirectory, 'golden_kazoo.py'),
  ]);
  writeFixture(
    'hand-made',
    'What no client library sends: old and broken handshakes, wrong opcodes, undecodable records',
    await handMadeExchanges(server.port),
  );
} finally {
  await server.kill();
}
await captureDataDirectories(
  join(repositoryRoot, 'packages/engine/src/storage/testdata/java-3.8.0'),
);

/** Runs a client that announces its steps through a recording proxy and writes down the frames. */
async function captureClient(
  name: string,
  description: string,
  command: string,
  args: readonly string[],
): Promise<void> {
  const proxy = await RecordingProxy.start(server.port);
  const child = track(
    spawn(command, [...args, `127.0.0.1:${proxy.port}`], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const ended = once(child, 'close');
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('STEP ')) {
      proxy.step = line.slice(5);
      if (proxy.step.startsWith('RECONNECT')) proxy.cut();
    }
    child.stdin.write('\n');
  }
  await ended;
  proxy.close();
  if (child.exitCode !== 0) throw new Error(`${name} ended with ${child.exitCode}`);
  writeFixture(name, description, describe(proxy.frames));
}

function writeFixture(name: string, description: string, frames: readonly GoldenFrame[]): void {
  const lines = frames.map((frame) => `    ${JSON.stringify(frame)}`).join(',\n');
  const text = `{
  "description": ${JSON.stringify(description)},
  "server": ${JSON.stringify(javaZooKeeperVersion().split('\n').at(-1))},
  "frames": [
${lines}
  ]
}
`;
  writeFileSync(join(goldenDirectory, `${name}.json`), text);
  process.stdout.write(`${name}.json: ${frames.length} frames\n`);
}

/** Names each frame by what it is; idle pings are left out, except in the step that waits for one. */
function describe(frames: readonly RecordedFrame[]): GoldenFrame[] {
  const typeOfXid = new Map<string, number>();
  const described: GoldenFrame[] = [];
  let pingCount = 0;
  for (const { step, from, bytes, connection, first } of frames) {
    const hex = bytes.toString('hex');
    if (first) {
      described.push({
        step,
        from,
        kind: from === 'client' ? 'connectRequest' : 'connectResponse',
        hex,
      });
      continue;
    }
    const xid = bytes.readInt32BE(4);
    if (xid === -2) {
      // One ping and its reply tell the whole story.
      if (pingCount++ < 2)
        described.push({ step, from, kind: from === 'client' ? 'ping' : 'pingReply', hex });
      continue;
    }
    const key = `${connection}/${xid}`;
    if (from === 'client') {
      const type = bytes.readInt32BE(8);
      typeOfXid.set(key, type);
      described.push({ step, from, kind: 'request', type, hex });
      continue;
    }
    const err = bytes.readInt32BE(16);
    const type = typeOfXid.get(key);
    if (xid === -1) described.push({ step, from, kind: 'notification', err, hex });
    else
      described.push({
        step,
        from,
        kind: 'reply',
        ...(type === undefined ? {} : { type }),
        err,
        hex,
      });
  }
  return described;
}
