/** A snapshot whose znodes do not make a tree. The file is damaged. */
export class TreeLoadError extends Error {
  override readonly name: string = 'TreeLoadError';
}
