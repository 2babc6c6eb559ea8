import {
  defaultEnsembleConfig,
  defaultLimits,
  defaultReplicaConfig,
  parseQuorumConfig,
  type ReplicaConfig,
} from '@meerkat/engine';
import { superDigest } from '../model/model-reconfig.ts';
import { SeededRandom } from '../seeded-random.ts';
import { ConfigurationFiles } from './configuration-files.ts';
import { type DrawnRoles, drawRoles } from './drawn-roles.ts';
import { clientPort, electionPort, observerMasterPort, quorumPort } from './ensemble-member.ts';

/** What a seed draws before anything happens. */
export interface EnsembleSettings extends DrawnRoles {
  /** Members that vote; 1 is a server that is alone. */
  readonly voters: number;
  /** Members that may be added later; 0 where the members stay who they are. */
  readonly spares: number;
  /** The id of the first member; the others follow. */
  readonly firstId: number;
  readonly clients: number;
  readonly tickTimeMs: number;
  /** How long bytes are under way, from and to, ms. */
  readonly latencyMs: readonly [number, number];
  readonly systemBytesMax: number;
  readonly diskLatencyMs: number;
  readonly snapCount: number;
  readonly commitLogCount: number;
  readonly snapshotSizeFactor: number;
  /** Whether members with even ids send snapshots where the others send what is in their logs. */
  readonly evenSendSnapshots: boolean;
  readonly preAllocSizeKb: number;
  /** Transactions after which a leader begins a new epoch. */
  readonly epochTransactionsMax: number;
  readonly logGroupBytesMax: number;
  readonly closeSessionTxnEnabled: boolean;
  /** How often leaders look for containers and TTL znodes that nobody needs, ms. */
  readonly containerCheckMs: number;
  /** How long a container may wait for its first child, ms; 0 for ever. */
  readonly maxNeverUsedMs: number;
  /** How long anything may break, ms. */
  readonly stormMs: number;
  /** The longest pause between two faults, ms. */
  readonly faultGapMs: number;
  /** The longest pause of a client between two things it does, ms. */
  readonly thinkMs: number;
}

/** Draws how the members of an ensemble change, if they do; apart from the rest, which stays as it was without. */
export function drawSpares(random: SeededRandom, voters: number): number {
  return voters >= 3 && random.percent(35) ? 1 + random.below(3) : 0;
}

/** Draws what an ensemble is like. */
export function drawSettings(random: SeededRandom): EnsembleSettings {
  const voters = [3, 3, 3, 5, 5, 4, 7][random.below(7)] ?? 3;
  const isQuick = random.percent(30) && voters <= 5;
  return {
    voters,
    spares: 0,
    firstId: random.percent(90) ? 1 : 250 - voters,
    clients: 3 + random.below(5),
    tickTimeMs: isQuick ? 500 : 2000,
    // A client has its session timeout over the number of servers for each attempt: ten of these must fit in.
    latencyMs: [random.below(3), 3 + random.below(isQuick ? 8 : 40)],
    systemBytesMax: random.percent(20) ? 500 : 100_000,
    // A sync takes ten times as long.
    diskLatencyMs: random.percent(30) ? 1 + random.below(4) : random.below(3) / 2,
    snapCount: 10 + random.below(random.percent(50) ? 50 : 400),
    commitLogCount: random.percent(50) ? 5 + random.below(50) : 500,
    snapshotSizeFactor: random.percent(50) ? 0.33 : 1000,
    evenSendSnapshots: random.percent(40),
    logGroupBytesMax: random.percent(50) ? 2048 : 64 * 1024,
    preAllocSizeKb: random.percent(80) ? 4 : 0,
    closeSessionTxnEnabled: random.percent(80),
    stormMs: 20_000 + random.below(100_000),
    faultGapMs: 1000 + random.below(random.percent(50) ? 4000 : 20_000),
    epochTransactionsMax: random.percent(15) ? 500 + random.below(2000) : 0xffff0000,
    thinkMs: 200 + random.below(2500),
    containerCheckMs: 500 + random.below(6000),
    maxNeverUsedMs: random.percent(50) ? 0 : 1000 + random.below(30_000),
    ...drawRoles(new SeededRandom(random.below(2 ** 32))),
  };
}

/** The configuration of one member. */
export function memberConfig(settings: EnsembleSettings, id: number): ReplicaConfig {
  const { tickTimeMs, voters } = settings;
  const base = defaultReplicaConfig;
  return {
    ...base,
    serverId: id,
    dataDir: dataDirOf(id),
    dataLogDir: dataDirOf(id),
    tickTimeMs,
    minSessionTimeoutMs: 2 * tickTimeMs,
    maxSessionTimeoutMs: 20 * tickTimeMs,
    txnLog: {
      ...base.txnLog,
      snapCount: settings.snapCount,
      preAllocSizeKb: settings.preAllocSizeKb,
    },
    // A disk that was lost must not look like a new one.
    snapshot: { ...base.snapshot, dbAutocreate: false },
    closeSessionTxnEnabled: settings.closeSessionTxnEnabled,
    extendedTypesEnabled: true,
    readOnlyModeEnabled: settings.readOnly,
    container: {
      ...base.container,
      checkIntervalMs: settings.containerCheckMs,
      maxNeverUsedIntervalMs: settings.maxNeverUsedMs,
    },
    reconfigEnabled: settings.spares > 0,
    digestAuth: { ...base.digestAuth, superDigest },
    ensemble:
      voters === 1
        ? null
        : {
            ...defaultEnsembleConfig,
            myId: id,
            members: parseQuorumConfig(membersText(settings)),
            localSessionsEnabled: settings.localSessions,
            localSessionsUpgradingEnabled: settings.localSessionsUpgrading,
            observerMasterPort: settings.observerMasters ? observerMasterPort : 0,
            commitLogCount: settings.commitLogCount,
            snapshotSizeFactor:
              settings.evenSendSnapshots && id % 2 === 0 ? -1 : settings.snapshotSizeFactor,
            epochTransactionsMax: settings.epochTransactionsMax,
            dynamicFile:
              settings.spares > 0 ? new ConfigurationFiles(dataDirOf(id)).dynamicFile : null,
          },
    limits: { ...defaultLimits, logGroupBytesMax: settings.logGroupBytesMax },
  };
}

/** Where a member's data lies: no two have the same, so that an error says whose it is. */
export function dataDirOf(id: number): string {
  return `/data-${id}`;
}

/** The `server.N` lines. */
export function membersText({ voters, observers, firstId }: EnsembleSettings): string {
  const lines: string[] = [];
  for (let id = firstId; id < firstId + voters + observers; id++) {
    const type = id < firstId + voters ? 'participant' : 'observer';
    lines.push(`server.${id}=${memberLine(id, type)}`);
  }
  return lines.join('\n');
}

/** What stands behind `server.N=`. */
export function memberLine(id: number, type: 'participant' | 'observer', shift = 0): string {
  const ports = `${quorumPort + shift}:${electionPort + shift}`;
  return `host${id}:${ports}:${type};0.0.0.0:${clientPort}`;
}
