import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the repository; this file runs as tests/dist/peers/support/paths.js. */
export const repositoryRoot: string = fileURLToPath(new URL('../../../../', import.meta.url));

/** Folder of the Java, Python and C programs that the tests compile or run. */
export const programsDirectory: string = join(repositoryRoot, 'tests/peers/programs');

/** Folder of other test runners, with packages of its own: `npm ci --prefix tests/runners`. */
export const runnersPath: string = join(repositoryRoot, 'tests/runners');

/** Script that starts Meerkat: `meerkat.js server zoo.cfg`. */
export const meerkatPath: string = join(repositoryRoot, 'packages/cli/bin/meerkat.js');

const temporaryDirectories = new Set<string>();
process.once('exit', removeTemporaryDirectories);

/** Makes a fresh temporary directory that is removed when the process ends, unless KEEP_TEMP is set. */
export function temporaryDirectory(prefix: string): string {
  const directory = mkdtempSync(join(tmpdir(), `meerkat-${prefix}-`));
  temporaryDirectories.add(directory);
  return directory;
}

function removeTemporaryDirectories(): void {
  if (process.env.KEEP_TEMP !== undefined) return;
  for (const directory of temporaryDirectories) rmSync(directory, { recursive: true, force: true });
}
