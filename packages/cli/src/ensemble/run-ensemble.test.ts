import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '@meerkat/client';

const launcher = fileURLToPath(new URL('../../bin/meerkat.js', import.meta.url));

/** `meerkat ensemble` in a process of its own, and what it writes. */
class Run {
  readonly child: ChildProcess;
  #output = '';
  #wake = (): void => {};

  constructor(t: TestContext, args: readonly string[]) {
    this.child = spawn(process.execPath, [launcher, 'ensemble', ...args]);
    const append = (chunk: Buffer): void => {
      this.#output += chunk.toString('utf8');
      this.#wake();
    };
    this.child.stdout?.on('data', append);
    this.child.stderr?.on('data', append);
    t.after(() => this.child.kill('SIGKILL'));
  }

  get output(): string {
    return this.#output;
  }

  /** Waits for a line; the test's own time limit ends the waiting. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output);
      if (match !== null) return match;
      if (this.child.exitCode !== null)
        throw new Error(`ended without ${pattern}\n${this.#output}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits for the end. */
  async end(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    return new Promise((resolve) => this.child.once('close', resolve));
  }
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'meerkat-ensemble-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

test('an ensemble serves, brings back a member that dies, keeps its data, and stops', {
  timeout: 120_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const args = ['--port', '0', '--folder', folder];
  const first = new Run(t, args);
  const [, connectString = '', pid = ''] = await first.until(
    /the ensemble serves at (\S+) \(processes: 1 is (\d+)/,
  );
  await first.until(/next: npx meerkat shell -server 127/);
  const zk = await connect(connectString, { sessionTimeoutMs: 10_000 });
  await zk.create('/kept', 'yes');
  process.kill(Number(pid), 'SIGKILL');
  await first.until(/ensemble \| member 1 died \(SIGKILL\); it is started again in 1 s/);
  await first.until(/member 1 died[\s\S]*member 1 \| .*serves clients/);
  assert.equal((await zk.getData('/kept')).stat.version, 0);
  await zk.close();
  first.child.kill('SIGINT');
  assert.equal(await first.end(), 0);
  assert.match(first.output, /stopping all members[\s\S]*ensemble \| stopped\n/);

  const second = new Run(t, args);
  const [, again = ''] = await second.until(/the ensemble serves at (\S+)/);
  const reader = await connect(again, { sessionTimeoutMs: 10_000 });
  assert.equal(Buffer.from((await reader.getData('/kept')).data ?? []).toString(), 'yes');
  await reader.close();
  second.child.kill('SIGTERM');
  assert.equal(await second.end(), 0);
});

test('a port that is taken is named with what to do', async (t) => {
  const folder = temporaryFolder(t);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const run = new Run(t, ['--port', String(port), '--members', '1', '--folder', folder]);
  assert.equal(await run.end(), 2);
  assert.match(run.output, new RegExp(`Cannot use port ${port}: another program does`));
});

test('options that do not do are refused', async (t) => {
  const run = new Run(t, ['--members', '0']);
  assert.equal(await run.end(), 1);
  assert.match(run.output, /It must be a whole number from 1 to 15/);
});
