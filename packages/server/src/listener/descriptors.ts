import { readdirSync, readFileSync, statSync } from 'node:fs';

/** How many files and sockets this process may have open; Infinity when the system does not say. */
export function descriptorsMax(): number {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return line?.[1] === undefined ? Number.POSITIVE_INFINITY : Number(line[1]);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** How many are open now; 0 when the system does not say. */
export function descriptorsOpen(): number {
  try {
    // Linux from 6.2 on knows the number; before, the size is 0 and they have to be listed.
    const { size } = statSync('/proc/self/fd');
    return size > 0 ? size : readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}
