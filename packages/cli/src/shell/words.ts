/** A word: anything up to white space, or what stands between two quotes of a kind. */
const word = /\s*([^"']\S*|"[^"]*"|'[^']*')\s*/g;

/**
 * Splits a line into words as zkCli does (`ZooKeeperMain.parseCommand`): quotes of either kind hold a
 * word with spaces together when they begin it, and go away; a quote without its twin is skipped.
 * Nothing is escaped.
 */
export function splitWords(line: string): string[] {
  return Array.from(line.trim().matchAll(word), ([, text = '']) => {
    const first = text[0];
    const isQuoted = text.length > 1 && (first === '"' || first === "'") && text.endsWith(first);
    return isQuoted ? text.slice(1, -1) : text;
  });
}
