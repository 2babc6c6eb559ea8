import { ConfigurationError, type SettingPlace } from './configuration-error.ts';

/** One `server.N` line. */
export interface Member {
  readonly id: number;
  readonly role: 'participant' | 'observer';
  /** Where it serves clients, when the line says so. */
  readonly clientHost: string | null;
  readonly clientPort: number | null;
  readonly place: SettingPlace;
}

/**
 * Reads `server.N=host:port:port[:role][;[clientHost:]clientPort]`; several addresses may stand
 * before the client's, with `|` between them (`QuorumPeer.QuorumServer`).
 *
 * @throws ConfigurationError when it is none
 */
export function readMember(key: string, value: string, place: SettingPlace): Member {
  const idText = key.slice(key.lastIndexOf('.') + 1);
  const [addresses = '', client] = value.split(';');
  const match = /^(\[[^\]]+\]|[^:|]+):\d+(:\d+)?(:(participant|observer))?$/i.exec(
    addresses.split('|')[0]?.trim() ?? '',
  );
  if (!/^\d+$/.test(idText) || match === null || value.split(';').length > 2) {
    throw new ConfigurationError(
      place,
      `Cannot read the member ${key}: current value is ${value}; write server.1=host:2888:3888`,
    );
  }
  const role = /:observer\s*$/i.test(addresses) ? 'observer' : 'participant';
  return { id: Number(idText), role, ...readClientAddress(client, key, place), place };
}

function readClientAddress(
  text: string | undefined,
  key: string,
  place: SettingPlace,
): Pick<Member, 'clientHost' | 'clientPort'> {
  if (text === undefined) return { clientHost: null, clientPort: null };
  const match = /^(?:(\[[^\]]+\]|[^:]*):)?(\d{1,5})$/.exec(text.trim());
  const clientPort = Number(match?.[2] ?? Number.NaN);
  if (match === null || clientPort > 65_535) {
    throw new ConfigurationError(
      place,
      `Cannot read the client address of ${key}: current value is ${text}; write ;2181 or ;host:2181`,
    );
  }
  const host = match[1]?.replace(/^\[|\]$/g, '') ?? '';
  return { clientHost: host === '' || host === '0.0.0.0' ? null : host, clientPort };
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
