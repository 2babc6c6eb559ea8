import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of the transaction logs in a version-2 directory, oldest first. */
export function logFiles(version2: string): string[] {
  const firstZxid = (name: string): number => Number.parseInt(name.slice('log.'.length), 16);
  return readdirSync(version2)
    .filter((name) => name.startsWith('log.'))
    .sort((a, b) => firstZxid(a) - firstZxid(b))
    .map((name) => join(version2, name));
}

/** Path of the newest transaction log. */
export function newestLog(version2: string): string {
  const path = logFiles(version2).at(-1);
  if (path === undefined) throw new Error(`Cannot find a log in ${version2}`);
  return path;
}
