import { type LearnerType, parseMember, QuorumConfigError } from '@meerkat/engine';
import { ConfigurationError, type SettingPlace } from './configuration-error.ts';

/** One `server.N` line. */
export interface Member {
  readonly id: number;
  readonly role: LearnerType;
  /** Where it serves clients, when the line says so. */
  readonly clientHost: string | null;
  readonly clientPort: number | null;
  readonly place: SettingPlace;
}

/**
 * Reads a `server.N` line, as the engine reads it for an ensemble (`parseMember`).
 *
 * @throws ConfigurationError when it is none
 */
export function readMember(key: string, value: string, place: SettingPlace): Member {
  const idText = key.slice(key.lastIndexOf('.') + 1);
  const id = /^\d{1,15}$/.test(idText) ? Number(idText) : Number.NaN;
  if (Number.isNaN(id)) {
    throw new ConfigurationError(
      place,
      `Cannot read the member ${key}: current value is ${value}; write server.1=host:2888:3888`,
    );
  }
  try {
    const { type, client } = parseMember(id, value);
    const clientHost = client === null || client.host === '0.0.0.0' ? null : client.host;
    return { id, role: type, clientHost, clientPort: client?.port ?? null, place };
  } catch (error) {
    if (error instanceof QuorumConfigError) throw new ConfigurationError(place, error.message);
    throw error;
  }
}

/**
 * Whether the members make a standalone server: none, or one participant (`standaloneEnabled`).
 *
 * @throws ConfigurationError when they make an ensemble, or nothing that ZooKeeper would start
 */
export function requireStandalone(
  members: readonly Member[],
  standaloneEnabled: boolean,
  file: string,
): void {
  const participants = members.filter(({ role }) => role === 'participant');
  const place = members[0]?.place ?? { file, line: 0 };
  if (members.length > 0 && participants.length === 0) {
    throw new ConfigurationError(place, 'Cannot start observers without participants');
  }
  if (participants.length === 1 && members.length > 1) {
    throw new ConfigurationError(place, 'Cannot start observers of a single server');
  }
  if (participants.length > 1 || (participants.length === 1 && !standaloneEnabled)) {
    throw new ConfigurationError(
      place,
      `Cannot start an ensemble of ${participants.length}: ensembles are not built yet; leave out the server.N lines to run this server alone`,
    );
  }
  if (!standaloneEnabled) {
    throw new ConfigurationError(
      { file, line: 0 },
      'Cannot start with standaloneEnabled=false and no server.N lines; set it to true',
    );
  }
}
