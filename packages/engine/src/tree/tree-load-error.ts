import { JuteError } from '@meerkat/protocol';

/** A snapshot whose znodes do not make a tree: the file is damaged, another one may do. */
export class TreeLoadError extends JuteError {
  override readonly name: string = 'TreeLoadError';
}
