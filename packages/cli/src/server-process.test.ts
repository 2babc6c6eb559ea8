import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../bin/meerkat.js', import.meta.url));

// pino's own destination tried for ever to write its last lines: the process neither served nor ended.
for (const format of ['json', 'pretty']) {
  test(`a server whose ${format} log nobody reads any more ends when it is told to`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'meerkat-server-process-'));
    const config = join(directory, 'zoo.cfg');
    writeFileSync(config, `clientPort=0\nclientPortAddress=127.0.0.1\ndataDir=${directory}/data\n`);
    const options = ['--log-format', format, '--log-level', 'info'];
    const server = spawn(process.execPath, [launcher, 'server', ...options, config]);
    t.after(() => {
      server.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    });
    await new Promise<void>((resolve) => {
      let said = '';
      server.stdout.on('data', (chunk) => {
        said += chunk;
        if (said.includes('Next: npx meerkat shell')) resolve();
      });
    });
    server.stdout.destroy();
    server.stderr.destroy();
    server.kill('SIGTERM');
    assert.deepEqual(await once(server, 'exit'), [0, null]);
  });
}
