import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QuorumMember } from '@meerkat/engine';
import { ConfigurationError } from './configuration-error.ts';
import { idsOf } from './membership.ts';

/** The highest id that fits beside TTL znodes (`EphemeralType.MAX_EXTENDED_SERVER_ID`). */
const myIdMax = 254;

/** The number in `dataDir/myid`; null when there is none to read. */
export function lookUpMyId(dataDir: string): number | null {
  const text = firstLine(join(dataDir, 'myid'));
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/**
 * Which of the members this server is: the number in `dataDir/myid`.
 *
 * @throws ConfigurationError that says what to change when there is none, or it is none of the members
 */
export function readMyId(dataDir: string, members: ReadonlyMap<number, QuorumMember>): number {
  const path = join(dataDir, 'myid');
  const fail = (problem: string): never => {
    throw new ConfigurationError({ file: path, line: 0 }, problem);
  };
  const text = firstLine(path);
  const ids = idsOf(members);
  if (text === null) {
    return fail(
      `Cannot read the id of this server: current value is a file that is not there; write the N of this server's server.N line into it, one of ${ids}`,
    );
  }
  if (!/^\d{1,15}$/.test(text)) {
    return fail(
      `Cannot read the id of this server: current value is ${text === '' ? '(empty)' : text}; write one number, one of ${ids}`,
    );
  }
  const id = Number(text);
  if (id > myIdMax) {
    return fail(
      `Cannot use the id ${id}: session ids begin with it, in one byte; give this server an id from 0 to ${myIdMax}, here and in the server.N lines`,
    );
  }
  if (!members.has(id)) {
    return fail(
      `Cannot find this server among the members: current value is ${id}, there are lines for ${ids}; correct this file, or add a line server.${id}=host:2888:3888 to the configuration of every member`,
    );
  }
  return id;
}

/**
 * Java reads one line and no more; blanks around it do no harm.
 *
 * @returns null when there is no such file
 * @throws ConfigurationError when there is one that cannot be read
 */
function firstLine(path: string): string | null {
  try {
    return (readFileSync(path, 'latin1').split(/\r?\n/)[0] ?? '').trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new ConfigurationError(
      { file: path, line: 0 },
      `Cannot read the id of this server: the system says ${code}; make it a file that the user that runs the server may read`,
    );
  }
}
