import { TestEnsemble, type TestEnsembleOptions } from '@meerkat/testing';
import { ControlServer } from './control-server.ts';
import { starterOfNpx } from './npx-starter.ts';
import { watchParent } from './parent-watch.ts';

/** What a test server is made of. */
export interface TestServerOptions {
  readonly ensemble: TestEnsembleOptions;
  /** The port for HTTP; 0 is a free one. */
  readonly controlPort: number;
  /** A process whose end is the server's, beside the parent's; null is none. */
  readonly parentPid: number | null;
}

/**
 * Runs an ensemble for tests until nobody needs it any more: `meerkat test-server`.
 *
 * @returns the exit code: 0, or 1 when it could not start
 */
export async function runTestServer(options: TestServerOptions): Promise<number> {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  // Before anything takes time: a parent may be gone soon.
  const unwatch = watchParent(end, options.parentPid ?? starterOfNpx());
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, end);
  try {
    await serve(await TestEnsemble.start(options.ensemble), options.controlPort, end, ended);
    return 0;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  } finally {
    unwatch();
  }
}

async function serve(
  ensemble: TestEnsemble,
  controlPort: number,
  end: () => void,
  ended: Promise<void>,
): Promise<void> {
  const control = new ControlServer(ensemble, end);
  try {
    announce(ensemble, await control.listen(controlPort));
    await ended;
  } finally {
    await control.close();
    await ensemble.close();
  }
}

/** The one line that a program reads to use the server. */
function announce(ensemble: TestEnsemble, controlPort: number): void {
  const members = ensemble.members.map(({ index, address }) => ({ index, address }));
  const { connectString } = ensemble;
  const controlUrl = `http://127.0.0.1:${controlPort}`;
  // Whoever reads it may be gone; the watch of the parent sees to that.
  process.stdout.on('error', () => {});
  process.stdout.write(
    `${JSON.stringify({ connectString, controlUrl, pid: process.pid, members })}\n`,
  );
}

function messageOf(error: unknown): string {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `Cannot listen on port ${port}: another program does`;
  return error instanceof Error ? error.message : String(error);
}
