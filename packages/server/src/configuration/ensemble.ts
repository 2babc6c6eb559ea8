import { existsSync } from 'node:fs';
import type { EnsembleConfig, Property, QuorumConfig, QuorumMember } from '@meerkat/engine';
import { OracleFile } from '../oracle-file.ts';
import { ConfigurationError, type SettingPlace } from './configuration-error.ts';
import type { ConfigurationDraft } from './draft.ts';
import { type Membership, quorumConfigAt } from './membership.ts';
import { lookUpMyId, readMyId } from './my-id.ts';

/** Behind the name of the configuration file: where reconfigurations are written (`QuorumPeerConfig.java`). */
const dynamicSuffix = '.dynamic';
const proposedSuffix = '.dynamic.next';

/**
 * Settles what makes this server a member: its id, its own line, the times that an ensemble needs.
 *
 * @param readFile reads a properties file
 * @returns null when the server is alone
 * @throws ConfigurationError that names what is missing or does not agree
 */
export function settleEnsemble(
  draft: ConfigurationDraft,
  membership: Membership,
  file: string,
  readFile: (path: string) => readonly Property[],
): EnsembleConfig | null {
  if (!membership.isEnsemble) {
    takeClientAddressAlone(draft, membership.config);
    return null;
  }
  const dataDir = draft.dataDir ?? '';
  if (dataDir === '') return null;
  const { members } = membership.config;
  const { replica } = draft.server;
  const initLimitTicks = requireTicks(draft.initLimitTicks, 'initLimit', 10, file);
  const syncLimitTicks = requireTicks(draft.syncLimitTicks, 'syncLimit', 5, file);
  const { tickTimeMs, reconfigEnabled } = replica;
  const proposed = reconfigEnabled ? proposedMembers(draft, file, readFile) : null;
  // One that is being added may be a member by what is not known to be committed yet, and be needed for that.
  const known = new Map([...(proposed?.members ?? []), ...members]);
  const myId = readMyId(dataDir, known);
  const own = known.get(myId) as QuorumMember;
  takeClientAddress(draft, own, membership.place);
  const helloTimeoutMs =
    draft.quorumCnxnTimeoutMs === -1 ? tickTimeMs * syncLimitTicks : draft.quorumCnxnTimeoutMs;
  const { ensemble } = draft;
  return {
    ...ensemble,
    myId,
    members: membership.config,
    proposedMembers: proposed,
    oracle: draft.oraclePath === null ? null : new OracleFile(draft.oraclePath),
    initLimitTicks,
    syncLimitTicks,
    election: { ...ensemble.election, helloTimeoutMs },
    standaloneEnabled: draft.standaloneEnabled,
    dynamicFile: reconfigEnabled ? file + dynamicSuffix : null,
  };
}

/** What `peerType` says that the member's line does not; null when they agree or it says nothing. */
export function peerTypeRemark(
  draft: ConfigurationDraft,
  ensemble: EnsembleConfig | null,
): string | null {
  const { peerType } = draft;
  const type = ensemble?.members.members.get(ensemble.myId)?.type ?? null;
  if (ensemble === null || peerType === null || peerType === type) return null;
  return `peerType=${peerType} does not agree with server.${ensemble.myId}, a ${type}; the line counts`;
}

function requireTicks(value: number | null, key: string, usual: number, file: string): number {
  if (value !== null) return value;
  throw new ConfigurationError(
    { file, line: 0 },
    `Cannot start an ensemble without ${key}; add a line like ${key}=${usual}, a number of ticks`,
  );
}

/** What was proposed before the last end and may be in force elsewhere. */
function proposedMembers(
  draft: ConfigurationDraft,
  file: string,
  readFile: (path: string) => readonly Property[],
): QuorumConfig | null {
  const path = file + proposedSuffix;
  if (draft.dynamicConfigFile === null || !existsSync(path)) return null;
  const values = new Map<string, string>();
  for (const { key, value } of readFile(path)) values.set(key.trim(), value.trim());
  return quorumConfigAt(values, { file: path, line: 0 });
}

/** A member's own line may say where it serves clients; it must not contradict `clientPort`. */
function takeClientAddress(
  draft: ConfigurationDraft,
  own: QuorumMember,
  place: SettingPlace,
): void {
  const { client, secureClient } = own;
  if (secureClient !== null) {
    throw new ConfigurationError(
      place,
      `Cannot serve TLS at port ${secureClient.port}, as server.${own.id} says: Meerkat does not have TLS yet; take the second port out of the line`,
    );
  }
  if (client === null) return;
  const host = draft.clientPortAddress;
  const isOtherPort = draft.clientPort !== null && draft.clientPort !== client.port;
  const isOtherHost = draft.clientPort !== null && host !== null && host !== client.host;
  if (isOtherPort || isOtherHost) {
    throw new ConfigurationError(
      place,
      `Cannot serve clients at two addresses: the file says ${host ?? '0.0.0.0'}:${draft.clientPort}, server.${own.id} says ${client.host}:${client.port}; write the same, or take clientPort out`,
    );
  }
  draft.clientPort = client.port;
  draft.clientPortAddress = client.host === '0.0.0.0' ? null : client.host;
}

/** A single line counts unless another id stands in `myid`. */
function takeClientAddressAlone(draft: ConfigurationDraft, config: QuorumConfig): void {
  const [member] = config.members.values();
  if (member === undefined || member.client === null || draft.clientPort !== null) return;
  const myId = draft.dataDir === null ? null : lookUpMyId(draft.dataDir);
  if (myId !== null && myId !== member.id) return;
  const { host, port } = member.client;
  draft.clientPort = port;
  draft.clientPortAddress ??= host === '0.0.0.0' ? null : host;
}
