import { defaultReplicaConfig } from '@meerkat/engine';
import type { ServerConfig } from './server-config.ts';

/** A record that is still being filled in; what has methods is taken as it is. */
export type Draft<Config> = Config extends
  | ReadonlyMap<unknown, unknown>
  | ((...args: never[]) => unknown)
  ? Config
  : Config extends object
    ? { -readonly [Key in keyof Config]: Draft<Config[Key]> }
    : Config;

/** A configuration while its settings are read; what depends on several of them is settled at the end. */
export interface ConfigurationDraft {
  /** What the settings write into directly. */
  readonly server: Draft<ServerConfig>;
  dataDir: string | null;
  dataLogDir: string | null;
  clientPort: number | null;
  clientPortAddress: string | null;
  /** -1: two ticks. */
  minSessionTimeoutMs: number;
  /** -1: twenty ticks. */
  maxSessionTimeoutMs: number;
  /** -1: as much as `jute.maxbuffer`. */
  maxBufferExtraBytes: number;
  dynamicConfigFile: string | null;
  standaloneEnabled: boolean;
}

/** A configuration in which nothing is set. */
export function emptyDraft(): ConfigurationDraft {
  const replica = structuredClone(defaultReplicaConfig) as Draft<ServerConfig['replica']>;
  return {
    server: {
      file: null,
      listener: {
        host: null,
        port: 0,
        backlog: -1,
        maxClientCnxns: 60,
        maxCnxns: 0,
        handshakeMs: 10_000,
        tcpKeepAlive: false,
      },
      words: { whitelist: 'srvr' },
      replica,
    },
    dataDir: null,
    dataLogDir: null,
    clientPort: null,
    clientPortAddress: null,
    minSessionTimeoutMs: -1,
    maxSessionTimeoutMs: -1,
    maxBufferExtraBytes: -1,
    dynamicConfigFile: null,
    standaloneEnabled: true,
  };
}
