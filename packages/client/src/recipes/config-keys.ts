import { DataInconsistencyError } from '../errors.ts';
import { type StandardSchema, validated } from './standard-schema.ts';

/** A key of a configuration: what its values look like. */
export interface ConfigKey<Input = unknown, Output = Input> {
  /** Any Standard Schema validator. What it makes of the stored JSON is the value. */
  readonly schema: StandardSchema<Input, Output>;
  /** Used while the service has none. Without it a configuration without a value does not start. */
  readonly default?: Output;
}

/** The keys of a configuration, by name. */
export type ConfigKeys = Readonly<Record<string, ConfigKey>>;

/** The values of a configuration, by the names of its keys. */
export type ConfigValues<K> = {
  readonly [N in keyof K]: K[N] extends { readonly schema: StandardSchema<infer _, infer Output> }
    ? Output
    : never;
};

/** What can be stored, by the names of the keys. */
export type ConfigInputs<K> = {
  readonly [N in keyof K]: K[N] extends { readonly schema: StandardSchema<infer Input, infer _> }
    ? Input
    : never;
};

/** All values of a configuration as they were at one moment. */
export interface ConfigSnapshot<K> {
  /** A value that has not changed is the same object as before. */
  readonly values: ConfigValues<K>;
  /** The version of each value; null for a default. */
  readonly versions: { readonly [N in keyof K]: number | null };
  /** `file`: the service has not been reached yet, these are the last values known. */
  readonly source: 'service' | 'file';
  /** The keys whose stored value cannot be used, and why. The last good value, or the default, stands in for it. */
  readonly problems: ReadonlyMap<keyof K & string, Error>;
}

/** What is stored for a key. */
export interface StoredConfig {
  /** The JSON value, not validated. */
  readonly stored: unknown;
  readonly version: number;
}

/** A stored value that its schema has accepted. */
export interface GoodConfig extends StoredConfig {
  readonly value: unknown;
}

/** Reads the JSON of a key. @throws DataInconsistencyError when it is none */
export function parseConfig(bytes: Uint8Array | null, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array(0)));
  } catch (cause) {
    const found = `${bytes?.length ?? 0} bytes that are not JSON`;
    const message = `Cannot read the configuration in ${path}: current value is ${found}`;
    throw new DataInconsistencyError({ path, message, cause });
  }
}

/** Validates a stored value. @throws DataInconsistencyError when the schema refuses it */
export async function goodConfig(
  key: ConfigKey,
  { stored, version }: StoredConfig,
  path: string,
): Promise<GoodConfig> {
  return { stored, version, value: await validated(key.schema, stored, path) };
}
