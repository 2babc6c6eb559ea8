import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A running process, as far as it matters here. */
interface ProcessView {
  readonly parentPid: number;
  /** The command with its arguments. */
  readonly command: string;
}

/** A shell between npx and this process, at most. */
const ancestorsMax = 3;

/**
 * The process that started npx, when this one was started by npx. npx waits for us whatever becomes of its own parent, so
 * whoever wants to end with that has to look for it.
 *
 * @returns null when npx did not start us, or it cannot be found out
 */
export function starterOfNpx(): number | null {
  if (process.env.npm_lifecycle_event !== 'npx') return null;
  let pid = process.ppid;
  for (let count = 0; count < ancestorsMax && pid > 1; count++) {
    const ancestor = viewOf(pid);
    if (ancestor === null) return null;
    const isNpx = /^(npm|npx) |\/(npm|npx)(-cli[.]js)? /.test(`${ancestor.command} `);
    if (isNpx) return ancestor.parentPid > 1 ? ancestor.parentPid : null;
    pid = ancestor.parentPid;
  }
  return null;
}

function viewOf(pid: number): ProcessView | null {
  try {
    return process.platform === 'linux' ? viewInProc(pid) : viewOfPs(pid);
  } catch {
    // It is gone, or there is no such program.
    return null;
  }
}

function viewInProc(pid: number): ProcessView {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold anything: what follows its end is state and parent.
  const [, parentPid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  return { parentPid: Number(parentPid), command };
}

function viewOfPs(pid: number): ProcessView {
  const text = execFileSync('ps', ['-o', 'ppid=,args=', '-p', String(pid)], { encoding: 'utf8' });
  const [, parentPid, command = ''] = /^\s*(\d+)\s+(.*)/.exec(text) ?? [];
  return { parentPid: Number(parentPid), command: command.trim() };
}
