/**
 * An invariant of our own code was broken. Never raised for bytes from outside: those are validated.
 * The process that meets one ends, with the numbers involved in the message.
 */
export class InvariantError extends Error {
  override readonly name: string = 'InvariantError';
}

/**
 * Ends the process's business when `condition` is false. Always on, in production too.
 *
 * @param message constant text, so that asserting costs nothing when it holds
 * @param a a number that explains the failure
 * @param b another
 * @throws InvariantError when `condition` is false
 */
export function assert(
  condition: boolean,
  message: string,
  a?: number,
  b?: number,
): asserts condition {
  if (!condition) fail(message, a, b);
}

/** Marks a branch that cannot be taken; the compiler proves it for closed unions. */
export function assertNever(value: never): never {
  throw new InvariantError(`a value outside its type: ${String(value)}`);
}

function fail(message: string, a: number | undefined, b: number | undefined): never {
  const numbers = [a, b].filter((n) => n !== undefined).join(', ');
  throw new InvariantError(numbers === '' ? message : `${message} (${numbers})`);
}
