/** A deliberate fault: one place of what the compiler has made of a package, and what stands there instead. */
export interface Mutant {
  readonly name: string;
  /** Which promise it breaks, and how. */
  readonly fault: string;
  readonly package: 'engine' | 'client';
  /** Below the package's `dist`. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The recipe whose simulation has to notice it; without one, that of ensembles. */
  readonly recipe?: string;
}
