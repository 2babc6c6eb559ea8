import { format } from 'node:util';
import { TestEnsemble } from '@meerkat/testing';
import type { CompiledExample } from './compile-examples.ts';
import { anythingAtAll, surroundingsOf } from './surroundings.ts';

/** How an example went. */
export interface ExampleRun {
  /** `waits`: it has no end, and was stopped. */
  readonly end: 'ended' | 'failed' | 'waits';
  readonly error?: unknown;
  /** What it printed. */
  readonly output: string;
}

/** How long an example without an end goes on, ms of its ensemble's time. */
const exampleMs = 2000;

/** Runs an example against an ensemble of its own, whose time goes by at once. Waits for its end unless it has none. */
export async function runExample(
  example: CompiledExample,
  undeclared: readonly string[],
): Promise<ExampleRun> {
  const ensemble = await TestEnsemble.start({ clock: 'manual', transport: 'memory' });
  const controller = new AbortController();
  const lines: string[] = [];
  const { log } = console;
  const globals: Record<string, unknown> = globalThis;
  const names = new Map<string, unknown>();
  try {
    const zk = await ensemble.client();
    if (example.isEndless) await prepare(ensemble);
    const values = {
      ...Object.fromEntries(undeclared.map((name) => [name, anythingAtAll])),
      ...surroundingsOf(ensemble, zk, controller.signal),
    };
    for (const [name, value] of Object.entries(values)) {
      names.set(name, globals[name]);
      globals[name] = value;
    }
    console.log = (...values: unknown[]) => lines.push(`${format(...values)}\n`);
    const module = (await import(example.module.href)) as { example(): Promise<void> };
    const ended = module.example().then(
      () => ({ end: 'ended' }) as const,
      (error: unknown) => ({ end: 'failed', error }) as const,
    );
    let run: Omit<ExampleRun, 'output'> = await Promise.race([ended, passTime(ensemble)]);
    while (run.end === 'waits' && !example.isEndless) {
      run = await Promise.race([ended, passTime(ensemble)]);
    }
    controller.abort();
    await zk.close();
    await Promise.race([ended, passTime(ensemble)]);
    return { ...run, output: lines.join('') };
  } finally {
    console.log = log;
    for (const [name, value] of names) globals[name] = value;
    await ensemble.close();
  }
}

async function passTime(ensemble: TestEnsemble): Promise<{ readonly end: 'waits' }> {
  for (let passedMs = 0; passedMs < exampleMs; passedMs += 100) await ensemble.advanceTime(100);
  return { end: 'waits' };
}

/** The znodes that the examples of doc comments take for granted. */
async function prepare(ensemble: TestEnsemble): Promise<void> {
  const zk = await ensemble.client();
  const billing = { name: 'billing', id: '1', address: '10.0.0.7', port: 8080 };
  for (const [path, value] of [
    ...['/app', '/config', '/jobs', '/users', '/workers'].map((path) => [path, ''] as const),
    ['/users/42', JSON.stringify({ name: 'Grace', logins: 1 })],
    ['/services', ''],
    ['/services/billing', ''],
    ['/services/billing/1', JSON.stringify({ ...billing, serviceType: 'DYNAMIC' })],
  ] as const) {
    await zk.create(path, value);
  }
}
