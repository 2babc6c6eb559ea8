/**
 * Whether a word may be answered (`FourLetterCommands.isEnabled`): `*` allows all, `srvr` is always
 * allowed because zkServer.sh needs it, `isro` when read-only mode is on.
 *
 * @param configured words with commas between them
 */
export function readWhitelist(
  configured: string,
  readOnlyModeEnabled: boolean,
): (word: string) => boolean {
  const words = new Set(['srvr']);
  if (readOnlyModeEnabled) words.add('isro');
  for (const word of configured.split(',')) {
    if (word.trim() === '*') return () => true;
    words.add(word.trim());
  }
  return (word) => words.has(word);
}
