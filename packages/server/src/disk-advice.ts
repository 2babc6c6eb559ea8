/**
 * What the disk did not do, and what to do about it, for whoever runs the server.
 *
 * @param message that of a DiskError, which ends with what the system says
 */
export function withDiskAdvice(message: string): string {
  const code = /the system says ([A-Z]+)$/.exec(message)?.[1] ?? '';
  const advice = advices.get(code);
  return advice === undefined ? message : `${message}; ${advice}`;
}

const makeRoom = 'make room on that disk, then start the server again; its data is as it was';
const giveRights =
  'give the user that runs the server the right to read and write there, or name another directory in dataDir';

/** By what the system says. */
const advices: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', makeRoom],
  ['EDQUOT', makeRoom],
  ['EACCES', giveRights],
  ['EPERM', giveRights],
  ['EROFS', 'it is mounted read-only: mount it for writing, or name another directory in dataDir'],
  ['EEXIST', 'a file has this name: name a directory in dataDir and dataLogDir'],
  ['ENOTDIR', 'a file stands in its path: name a directory in dataDir and dataLogDir'],
  ['EIO', 'the disk is failing: replace it, give the server an empty dataDir with its myid'],
  ['EMFILE', 'the process has too many files open: raise its limit (ulimit -n)'],
]);
