import { CliError } from './cli-error.ts';

/**
 * Refuses a path that is none, in the words of zkCli (`common/PathUtils.java`).
 *
 * @throws CliError with exit code 1
 */
export function checkPath(path: string): void {
  const problem = problemWith(path);
  if (problem !== undefined) throw new CliError(problem);
}

/** As `checkPath`, for a path that a number is appended to. */
export function checkSequentialPath(path: string): void {
  checkPath(`${path}1`);
}

/** The path of a child. */
export function childPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

function problemWith(path: string): string | undefined {
  if (path === '') return 'Path length must be > 0';
  if (!path.startsWith('/')) return 'Path must start with / character';
  if (path === '/') return undefined;
  if (path.endsWith('/')) return 'Path must not end with / character';
  const reason = reasonAgainst(path);
  return reason === undefined ? undefined : `Invalid path string "${path}" caused by ${reason}`;
}

function reasonAgainst(path: string): string | undefined {
  for (let i = 1; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === 0) return `null character not allowed @${i}`;
    if (path[i] === '/' && path[i - 1] === '/') return `empty node name specified @${i}`;
    if (
      path[i] === '.' &&
      isEndOfName(path, i + 1) &&
      /\/\.?$/.test(path.slice(Math.max(0, i - 2), i))
    ) {
      return `relative paths not allowed @${i}`;
    }
    if (isForbidden(code)) return `invalid character @${i}`;
  }
  return undefined;
}

function isEndOfName(path: string, at: number): boolean {
  return at === path.length || path[at] === '/';
}

function isForbidden(code: number): boolean {
  return (
    code <= 0x1f ||
    (code >= 0x7f && code <= 0x9f) ||
    (code >= 0xd800 && code <= 0xf8ff) ||
    code >= 0xfff0
  );
}
