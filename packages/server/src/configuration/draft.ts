import {
  defaultEnsembleConfig,
  defaultReplicaConfig,
  type EnsembleConfig,
  type LearnerType,
} from '@meerkat/engine';
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
  /** What concerns an ensemble; used only when the members make one. */
  readonly ensemble: Draft<Omit<EnsembleConfig, 'myId' | 'members'>>;
  /** Ticks; null when it was not set, which only a server that is alone can do without. */
  initLimitTicks: number | null;
  /** Ticks; null likewise. */
  syncLimitTicks: number | null;
  /** -1: `syncLimit` ticks. */
  quorumCnxnTimeoutMs: number;
  /** What `peerType` says; the member's own line decides. */
  peerType: LearnerType | null;
  oraclePath: string | null;
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
      peers: { keepAlive: false },
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
    ensemble: structuredClone(defaultEnsembleConfig) as ConfigurationDraft['ensemble'],
    initLimitTicks: null,
    syncLimitTicks: null,
    quorumCnxnTimeoutMs: -1,
    peerType: null,
    oraclePath: null,
  };
}
