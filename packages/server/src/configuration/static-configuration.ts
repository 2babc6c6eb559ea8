import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readProperties } from '@meerkat/engine';
import { syncDirectory } from '../ports/node-disk.ts';

/** Behind the name of a configuration file: what it was before it was changed (`QuorumPeerConfig.backupOldConfig`). */
const backupSuffix = '.bak';

/**
 * Lets a zoo.cfg name the file with the members, and takes out of it what stands there now
 * (`QuorumPeerConfig.editStaticConfig`). Unlike with Java, order and comments stay. What it was when it still named the
 * members is kept beside it, with `.bak`.
 *
 * @param eraseClientPort whether the member's own line says where it serves clients
 * @throws the system's error when the file cannot be read or replaced
 */
export function pointToDynamicFile(
  path: string,
  dynamicFile: string,
  eraseClientPort: boolean,
): void {
  const text = readFileSync(path, 'latin1');
  const lines = text.split(/\r\n|\r|\n/);
  const properties = readProperties(text);
  if (properties.some(({ key }) => key.startsWith('server.')))
    copyFileSync(path, path + backupSuffix);
  for (const { key, line } of properties) {
    if (!isMoved(key.trim(), eraseClientPort)) continue;
    let at = line - 1;
    while (isContinued(lines[at] ?? '')) lines[at++] = '';
    lines[at] = '';
  }
  const kept = lines.filter((line, at) => line !== '' || (lines[at - 1] ?? '') !== '');
  while (kept.at(-1) === '') kept.pop();
  // Java reads properties as ISO 8859-1, with the backslash as an escape.
  kept.push(`dynamicConfigFile=${dynamicFile.replaceAll('\\', '\\\\')}`, '');
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, kept.join('\n'), { encoding: 'latin1', flush: true });
  renameSync(temporary, path);
  // The engine forgets what was proposed when this has returned: it must not come back with the power.
  syncDirectory(dirname(path));
}

function isMoved(key: string, eraseClientPort: boolean): boolean {
  if (/^(server\.|group|weight|dynamicConfigFile|peerType)/.test(key)) return true;
  return eraseClientPort && (key === 'clientPort' || key === 'clientPortAddress');
}

/** An odd number of backslashes at the end: the next line belongs to this one. */
function isContinued(line: string): boolean {
  return (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1;
}
