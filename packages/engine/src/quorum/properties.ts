/** One `key=value` of a properties file. */
export interface Property {
  readonly key: string;
  readonly value: string;
  /** The line on which it starts, from 1. */
  readonly line: number;
}

/** A text is no properties file. */
export class PropertiesSyntaxError extends Error {
  override readonly name: string = 'PropertiesSyntaxError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/**
 * Reads a properties file as `java.util.Properties.load` does: comments with `#` and `!`,
 * continued lines, `=`, `:` or blanks between key and value, `\t \n \r \f \uXXXX` and any other
 * escaped character. In order; a key may come twice.
 *
 * @throws PropertiesSyntaxError for a `\u` without four hexadecimal digits
 */
export function readProperties(text: string): readonly Property[] {
  const lines = text.split(/\r\n|\r|\n/);
  const properties: Property[] = [];
  for (let at = 0; at < lines.length; at++) {
    const first = trimStart(lines[at] ?? '');
    if (first === '' || first.startsWith('#') || first.startsWith('!')) continue;
    const line = at + 1;
    let logical = first;
    while (isContinued(logical)) {
      at += 1;
      // Blanks before the rest of a continued line do not count; a comment sign there does not either.
      logical = logical.slice(0, -1) + trimStart(lines[at] ?? '');
    }
    properties.push(splitProperty(logical, line));
  }
  return properties;
}

/** An odd number of backslashes at the end: the last one escapes the end of the line. */
function isContinued(line: string): boolean {
  const backslashes = /\\*$/.exec(line)?.[0].length ?? 0;
  return backslashes % 2 === 1;
}

function splitProperty(logical: string, line: number): Property {
  let keyEnd = 0;
  while (keyEnd < logical.length && !/[=: \t\f]/.test(logical.charAt(keyEnd))) {
    keyEnd += logical[keyEnd] === '\\' ? 2 : 1;
  }
  const rest = trimStart(logical.slice(keyEnd));
  const value = /^[=:]/.test(rest) ? trimStart(rest.slice(1)) : rest;
  return { key: unescape(logical.slice(0, keyEnd), line), value: unescape(value, line), line };
}

function unescape(text: string, line: number): string {
  // The last branch takes a backslash with nothing behind it: the file ended after it.
  return text.replace(/\\(u[0-9a-fA-F]{4}|[\s\S])|\\$/g, (_escape, escaped: string | undefined) => {
    switch (escaped) {
      case undefined:
        return '';
      case 't':
        return '\t';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 'f':
        return '\f';
      case 'u':
        throw new PropertiesSyntaxError(line, 'Cannot read an escape: \\u needs four hex digits');
      default:
        return escaped.length === 5
          ? String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
          : escaped;
    }
  });
}

/** Java's idea of white space here: no more than these three. */
function trimStart(text: string): string {
  return text.replace(/^[ \t\f]+/, '');
}
