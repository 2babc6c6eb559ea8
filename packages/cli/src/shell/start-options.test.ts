import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseStartOptions } from './start-options.ts';

test('nothing given', () => {
  assert.deepEqual(parseStartOptions([]), {
    connectString: 'localhost:2181',
    client: {},
    waitForConnection: false,
    showHelp: false,
    words: [],
  });
});

test('options end where the command begins', () => {
  const args = '-server a:1,b:2/c -timeout 5000 -r -waitforconnection get -s /x'.split(' ');
  assert.deepEqual(parseStartOptions(args), {
    connectString: 'a:1,b:2/c',
    client: { sessionTimeoutMs: 5000, canBeReadOnly: true },
    waitForConnection: true,
    showHelp: false,
    words: ['get', '-s', '/x'],
  });
  assert.equal(parseStartOptions(['--server', 'a']).connectString, 'a');
});

test('what cannot be used ends with 2', () => {
  for (const [args, message] of [
    [['-server'], /no argument found for option -server/],
    [['-timeout', 'soon'], /Cannot use -timeout: current value is "soon"/],
    [['-timeout', '0'], /Cannot use -timeout/],
    [['-bogus', 'ls'], /unknown option -bogus/],
    [['-client-configuration', '/no/such/file'], /Cannot read the client configuration/],
  ] as const) {
    assert.throws(() => parseStartOptions(args), { message, exitCode: 2 });
  }
});

test('the file for the client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meerkat-shell-'));
  const file = join(folder, 'client.properties');
  try {
    writeFileSync(
      file,
      '# ours\nzookeeper.request.timeout=750\nzookeeper.disableAutoWatchReset: true\n',
    );
    const { client } = parseStartOptions(['-client-configuration', file]);
    assert.deepEqual(client, { requestTimeoutMs: 750, rearmWatches: false });
    writeFileSync(file, 'zookeeper.client.secure=true\n');
    assert.throws(() => parseStartOptions(['-client-configuration', file]), /does not speak TLS/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
