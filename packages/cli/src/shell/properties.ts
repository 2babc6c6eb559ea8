/**
 * Reads Java's properties syntax as far as ZooKeeper's own files use it: a `key=value` (or `key: value`)
 * on each line, comments after `#` or `!`, a backslash at the end of a line to go on in the next.
 */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of text.replace(/\\\r?\n\s*/g, '').split(/\r?\n/)) {
    const [, key, value = ''] = /^\s*([^\s#!=:][^\s=:]*)\s*[=:\s]?\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined) properties.set(key, value.trimEnd().replace(/\\(.)/g, '$1'));
  }
  return properties;
}
