import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { linkPrefix, namePrefix } from './namespace-network.ts';

/** What the name of a run's folder begins with; the number of its process follows. */
export const folderPrefix = 'meerkat-chaos-';

/**
 * Removes what runs have left on this machine that could not tidy up, since they were killed: servers in their
 * namespaces, the namespaces, bridges and small disks.
 *
 * @returns what was removed
 */
export function removeLeftovers(): string[] {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return [];
  const removed: string[] = [];
  for (const name of listed('ip', ['netns', 'list'], new RegExp(`^(${namePrefix}-(\\d+)-\\w+)`))) {
    for (const pid of linesOf('ip', ['netns', 'pids', name])) {
      process.kill(Number(pid), 'SIGKILL');
      removed.push(`process ${pid}`);
    }
    spawnSync('ip', ['netns', 'del', name]);
    removed.push(`namespace ${name}`);
  }
  const links = new RegExp(`^\\d+: (${namePrefix}(\\d+)|${linkPrefix}(\\d+)-\\d+)[@:]`);
  for (const name of listed('ip', ['-o', 'link', 'show'], links)) {
    spawnSync('ip', ['link', 'del', name]);
    removed.push(`link ${name}`);
  }
  const mounts = existsSync('/proc/mounts') ? readFileSync('/proc/mounts', 'utf8').split('\n') : [];
  for (const mount of orphans(mounts, new RegExp(` (/\\S*/${folderPrefix}(\\d+)-\\S*) tmpfs`))) {
    spawnSync('umount', ['-l', mount]);
    removed.push(`disk ${mount}`);
  }
  return removed;
}

function listed(command: string, args: readonly string[], pattern: RegExp): string[] {
  return orphans(linesOf(command, args), pattern);
}

/** What `pattern` finds in the lines, name and process, of processes that are no more. */
function orphans(lines: readonly string[], pattern: RegExp): string[] {
  return lines.flatMap((line) => {
    const [, name, ...pids] = pattern.exec(line) ?? [];
    const pid = pids.find((each) => each !== undefined);
    return name === undefined || pid === undefined || isAlive(pid) ? [] : [name];
  });
}

function isAlive(pid: string): boolean {
  return readdirSync('/proc').includes(pid);
}

function linesOf(command: string, args: readonly string[]): string[] {
  const { stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return (stdout ?? '').split('\n').filter((line) => line !== '');
}
