import { readFileSync } from 'node:fs';
import type { Oracle } from '@meerkat/engine';

/** The file of `oraclePath`, read whenever it is asked (`QuorumOracleMaj.askOracle`). */
export class OracleFile implements Oracle {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Whether the file's first character is `1`; a file that cannot be read grants nothing. */
  isGranted(): boolean {
    try {
      return readFileSync(this.#path, 'latin1').startsWith('1');
    } catch {
      return false;
    }
  }
}
