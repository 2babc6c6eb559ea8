import { existsSync, readFileSync, statSync } from 'node:fs';
import type { RunServerOptions, runServer } from '@meerkat/server';

/** What the command needs of the server. */
export interface ServerModule {
  readonly runServer: typeof runServer;
}

/** How a server is run; see `runServer`. */
export type { RunServerOptions };

/**
 * Loads the server: from the one file that the build makes of its modules, which takes node half as long,
 * or from the modules themselves when one of them has been compiled since or there is no such file.
 */
export async function importServer(): Promise<ServerModule> {
  const bundle = new URL('bundle/', import.meta.resolve('@meerkat/server'));
  if (!isCurrent(bundle)) return import('@meerkat/server');
  // So that stack traces name the sources.
  process.setSourceMapsEnabled(true);
  return import(new URL('run-server.js', bundle).href) as Promise<ServerModule>;
}

/**
 * Whether nothing was compiled since the bundle in a folder was made (`tools/bundle.mjs`). What the compiler
 * notes beside its output is looked at; where it is missing, as it may be once installed, nobody compiles.
 */
export function isCurrent(bundle: URL): boolean {
  if (!existsSync(new URL('run-server.js', bundle))) return false;
  let inputs: Readonly<Record<string, number>>;
  try {
    inputs = JSON.parse(readFileSync(new URL('inputs.json', bundle), 'utf8')) as typeof inputs;
  } catch {
    return false;
  }
  return Object.entries(inputs).every(([path, mtimeMs]) => {
    const now = statSync(new URL(path, bundle), { throwIfNoEntry: false });
    return now === undefined || now.mtimeMs === mtimeMs;
  });
}
