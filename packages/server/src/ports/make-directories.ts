import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it that are missing. Node's own `recursive` does not come back
 * from file systems that answer ENOENT for good, such as /proc.
 *
 * @returns the topmost directory that was made, null when there was nothing to make
 * @throws the system's error
 */
export function makeDirectories(path: string): string | null {
  try {
    mkdirSync(path);
    return path;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return null;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path) throw error;
    const first = makeDirectories(parent);
    // The parent is there now: if this fails again, it fails.
    mkdirSync(path);
    return first ?? path;
  }
}
