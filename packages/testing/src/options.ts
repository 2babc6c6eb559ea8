import type { ClientOptions } from '@meerkat/client';
import {
  defaultEnsembleConfig,
  defaultReplicaConfig,
  type EnsembleConfig,
  parseQuorumConfig,
  type ReplicaConfig,
} from '@meerkat/engine';
import { testLimits } from './limits.ts';
import { peerHostOf } from './member.ts';

/** What an ensemble for tests is made of; all of it has a default. */
export interface TestEnsembleOptions {
  /** How many members. Default 1. */
  readonly members?: number;
  /**
   * `tcp`: each member has a port of its own on 127.0.0.1, which any client can use, in any process. `memory`: no port is
   * opened; `client()` works as ever, and `connect(zk.connectString, { ports: zk.ports })`. Default `tcp`.
   */
  readonly transport?: 'tcp' | 'memory';
  /**
   * `memory`: data is gone with the ensemble. `directory`: in a temporary directory, as a server keeps it; removed when the
   * ensemble is closed. Default `memory`.
   */
  readonly storage?: 'memory' | 'directory';
  /**
   * `real`: time goes on, and `advanceTime` goes ahead. `manual`: the members and the clients of `client()` know no time but that of
   * `advanceTime`; what takes no time happens as ever. Default `real`.
   */
  readonly clock?: 'real' | 'manual';
  /** Draws all that is random in the members. Default: drawn itself. */
  readonly seed?: number;
  /** `tickTime`, ms: the width of expiry buckets. Default 2000. */
  readonly tickTimeMs?: number;
  /** The shortest session timeout granted, ms. Default 2 ticks. */
  readonly minSessionTimeoutMs?: number;
  /** The longest session timeout granted, ms. Default 60,000, or 20 ticks when that is more. */
  readonly maxSessionTimeoutMs?: number;
  /** Any other setting of the members, by its name in the engine. */
  readonly config?: Partial<ReplicaConfig>;
}

/** Options of `TestEnsemble.client`: those of `connect`. */
export interface TestClientOptions extends ClientOptions {
  /** The path that all paths of the client are under, `/app`. Default: none. */
  readonly chroot?: string;
  /** How long to wait for the first connection, ms of the ensemble's time. Default: the session timeout. */
  readonly connectTimeoutMs?: number;
  /** Gives up waiting for the first connection. */
  readonly signal?: AbortSignal;
}

/** @throws Error when an option is not valid */
export function validateOptions(options: TestEnsembleOptions): void {
  const { members = 1, transport = 'tcp', storage = 'memory', clock = 'real' } = options;
  if (!Number.isInteger(members) || members < 1 || members > testLimits.membersMax) {
    throw bad('members', members, `it must be a whole number from 1 to ${testLimits.membersMax}`);
  }
  requireOneOf('transport', transport, ['tcp', 'memory']);
  requireOneOf('storage', storage, ['memory', 'directory']);
  requireOneOf('clock', clock, ['real', 'manual']);
  for (const name of ['tickTimeMs', 'minSessionTimeoutMs', 'maxSessionTimeoutMs'] as const) {
    const value = options[name];
    if (value === undefined || (Number.isInteger(value) && value > 0)) continue;
    throw bad(name, value, 'it must be a whole number of ms, at least 1');
  }
}

/** The settings of one member. */
export function configOf(
  options: TestEnsembleOptions,
  memberIndex: number,
  addresses: readonly string[],
  dataDirectory: string,
): ReplicaConfig {
  const tickTimeMs = options.tickTimeMs ?? 2000;
  return {
    ...defaultReplicaConfig,
    serverId: memberIndex + 1,
    tickTimeMs,
    minSessionTimeoutMs: options.minSessionTimeoutMs ?? 2 * tickTimeMs,
    maxSessionTimeoutMs: options.maxSessionTimeoutMs ?? Math.max(60_000, 20 * tickTimeMs),
    // Filling 64 MB with zeros would take most of the start.
    txnLog: { ...defaultReplicaConfig.txnLog, preAllocSizeKb: 64 },
    extendedTypesEnabled: true,
    ensemble: addresses.length === 1 ? null : ensembleOf(memberIndex, addresses),
    ...options.config,
    dataDir: dataDirectory,
    dataLogDir: dataDirectory,
  };
}

function ensembleOf(memberIndex: number, addresses: readonly string[]): EnsembleConfig {
  const lines = addresses.map((address, index) => {
    return `server.${index + 1}=${peerHostOf(index)}:2888:3888:participant;${address}`;
  });
  return {
    ...defaultEnsembleConfig,
    myId: memberIndex + 1,
    members: parseQuorumConfig(lines.join('\n')),
    // Everything arrives at once: who has heard nothing for so long has asked the wrong member.
    initLimitTicks: 2,
    // Votes, too: nothing better comes later.
    election: { ...defaultEnsembleConfig.election, finalizeWaitMs: 10 },
  };
}

function requireOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (typeof value === 'string' && known.includes(value)) return;
  throw bad(name, value, `it must be ${known.map((each) => `'${each}'`).join(' or ')}`);
}

function bad(name: string, value: unknown, why: string): Error {
  return new Error(`Cannot start with option ${name}: current value is ${String(value)}; ${why}`);
}
