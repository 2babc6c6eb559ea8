/** Where a setting stands. */
export interface SettingPlace {
  /** The configuration file, or `arguments`. */
  readonly file: string;
  /** From 1; 0 when the setting is missing. */
  readonly line: number;
}

/** The configuration does not do: the server does not start, exit code 2. */
export class ConfigurationError extends Error {
  override readonly name: string = 'ConfigurationError';

  /** @param problem what is wrong, with the value, and what to do */
  constructor(place: SettingPlace, problem: string) {
    super(`${place.file}${place.line > 0 ? `:${place.line}` : ''}: ${problem}`);
  }
}

/** A text is no value of its type; says what would be. Becomes a ConfigurationError with the place. */
export class ValueError extends Error {
  override readonly name: string = 'ValueError';
}
