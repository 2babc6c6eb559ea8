import { BadArgumentsError } from './errors.ts';

/**
 * Refuses a path that no server takes, by the rules of ZooKeeper's `common/PathUtils.java`.
 *
 * @param doing what the path is for, as in "create"
 * @throws BadArgumentsError when the path is not absolute, has empty, `.` or `..` segments, ends in `/` or
 *   holds a character that is not allowed
 */
export function validatePath(path: string, doing: string): void {
  const problem = typeof path === 'string' ? pathProblem(path) : 'a path must be a string';
  if (problem !== null) throw badPath(path, doing, problem);
}

/**
 * As `validatePath`, for the path of a sequential create: a number is appended, so it may end in `/`.
 *
 * @throws BadArgumentsError when the path with a number at its end is not valid
 */
export function validateSequentialPath(path: string, doing: string): void {
  const problem = typeof path === 'string' ? pathProblem(`${path}1`) : 'a path must be a string';
  if (problem !== null) throw badPath(path, doing, problem);
}

/** Why a path is not valid, null when it is. */
export function pathProblem(path: string): string | null {
  const length = path.length;
  if (length === 0) return 'a path must not be empty';
  if (path.charCodeAt(0) !== slash) return 'a path must start with "/"';
  if (length === 1) return null;
  if (path.charCodeAt(length - 1) === slash) return 'a path must not end with "/"';
  let segmentStart = 1;
  for (let i = 1; i <= length; i++) {
    const unit = i === length ? slash : path.charCodeAt(i);
    if (unit === slash) {
      const problem = segmentProblem(path, segmentStart, i);
      if (problem !== null) return problem;
      segmentStart = i + 1;
    } else if (unit < 0x20 || (unit >= 0x7f && isForbidden(unit))) {
      return `a path must not hold the character U+${unit.toString(16).padStart(4, '0')} (at ${i})`;
    }
  }
  return null;
}

/** The path on the server of a path under a chroot. `chroot` is '' when there is none. */
export function toServerPath(chroot: string, path: string): string {
  if (chroot === '') return path;
  return path === '/' ? chroot : chroot + path;
}

/** The path under a chroot of a path on the server; one outside the chroot is left as it is. */
export function toClientPath(chroot: string, serverPath: string): string {
  if (chroot === '') return serverPath;
  if (serverPath === chroot) return '/';
  return serverPath.startsWith(`${chroot}/`) ? serverPath.slice(chroot.length) : serverPath;
}

/** The path above a path; '/' for those at the top. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path of a child. */
export function childPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

const slash = 0x2f;
const dot = 0x2e;

function segmentProblem(path: string, start: number, end: number): string | null {
  const length = end - start;
  if (length === 0) return `a path must not hold an empty name (at ${start})`;
  if (path.charCodeAt(start) !== dot || length > 2) return null;
  if (length === 1 || path.charCodeAt(start + 1) === dot) {
    return `a path must not hold "." or ".." (at ${start})`;
  }
  return null;
}

function isForbidden(unit: number): boolean {
  return unit <= 0x9f || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0;
}

function badPath(path: unknown, doing: string, problem: string): BadArgumentsError {
  const message = `Cannot ${doing} a path: current value is ${JSON.stringify(path)}, and ${problem}`;
  return new BadArgumentsError(typeof path === 'string' ? { path, message } : { message });
}
