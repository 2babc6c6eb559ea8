import {
  type MemberAddress,
  type Property,
  parseMember,
  type QuorumConfig,
  QuorumConfigError,
  type QuorumMember,
  quorumConfigOf,
  votersOf,
} from '@meerkat/engine';
import { ConfigurationError, type SettingPlace } from './configuration-error.ts';

/** A line about members, and where it stands. */
export interface MembershipLine {
  readonly key: string;
  readonly value: string;
  readonly place: SettingPlace;
}

/** Who belongs together, as the lines say; `config` has no members when there are no lines. */
export interface Membership {
  readonly config: QuorumConfig;
  /** Whether they make an ensemble; otherwise the server runs alone. */
  readonly isEnsemble: boolean;
  /** The first line, or the file when there is none. */
  readonly place: SettingPlace;
  /** What is odd about it and does not stop the start. */
  readonly remarks: readonly string[];
}

/** Whether a key is about members, and is read by `readMembership`. */
export function isMembershipKey(key: string): boolean {
  return /^(server\.(?!realm$|principal$)|group|weight)/.test(key) || key === 'version';
}

/** The line of a property in this file. */
export function membershipLine({ key, value, line }: Property, file: string): MembershipLine {
  return { key: key.trim(), value: value.trim(), place: { file, line } };
}

/**
 * Reads `server.N`, `group.N`, `weight.N` and `version`, and decides as ZooKeeper whether they make an ensemble:
 * more than one voter does, and one alone when `standaloneEnabled` is false (`QuorumPeerConfig.isDistributed`).
 *
 * @param file where lines are missed when there are none
 * @throws ConfigurationError when a line does not do, or they make nothing that ZooKeeper would start
 */
export function readMembership(
  lines: readonly MembershipLine[],
  standaloneEnabled: boolean,
  file: string,
): Membership {
  const remarks: string[] = [];
  const values = new Map<string, string>();
  for (const line of lines) {
    const { key, value, place } = line;
    if (key.startsWith('server.')) requireMember(key, value, place);
    if (values.has(key)) {
      requireSameMember(line, lines);
      remarks.push(`${key} stands twice in ${place.file}; the last one counts`);
    }
    values.set(key, value);
  }
  const place = lines[0]?.place ?? { file, line: 0 };
  const config = quorumConfigAt(values, place);
  requireDifferentAddresses(config, place);
  const voters = votersOf(config).length;
  const observers = config.members.size - voters;
  requireVoters(voters, observers, standaloneEnabled, place);
  const isEnsemble = voters > 1 || !standaloneEnabled;
  if (isEnsemble && voters <= 2) {
    remarks.push(`no failure of a server is tolerated with ${voters} voting; three tolerate one`);
  } else if (isEnsemble && voters % 2 === 0) {
    remarks.push(`${voters} servers vote; one less would tolerate as many failures`);
  }
  return { config, isEnsemble, place, remarks };
}

/** What a place where members are written means, with the error that names it. */
export function quorumConfigAt(
  values: ReadonlyMap<string, string>,
  place: SettingPlace,
): QuorumConfig {
  try {
    return quorumConfigOf(values);
  } catch (error) {
    if (error instanceof QuorumConfigError) throw new ConfigurationError(place, error.message);
    throw error;
  }
}

/** One line by itself, so that the error names it. */
function requireMember(key: string, value: string, place: SettingPlace): void {
  const idText = key.slice(key.lastIndexOf('.') + 1);
  if (!/^\d{1,15}$/.test(idText)) {
    throw new ConfigurationError(
      place,
      `Cannot read the member ${key}: current value is ${value}; write server.1=host:2888:3888`,
    );
  }
  try {
    parseMember(Number(idText), value);
  } catch (error) {
    if (error instanceof QuorumConfigError) throw new ConfigurationError(place, error.message);
    throw error;
  }
}

/** Whoever copied a line and forgot its number would lose a member: nobody can tell which of the two is meant. */
function requireSameMember(line: MembershipLine, lines: readonly MembershipLine[]): void {
  const { key, value, place } = line;
  const other = lines.find((each) => each.key === key && each.value !== value);
  if (other === undefined || !key.startsWith('server.')) return;
  throw new ConfigurationError(
    place,
    `Cannot have two members ${key}: current values are ${other.value} in line ${other.place.line} and ${value}; give one of them another number, or take it out`,
  );
}

function requireVoters(
  voters: number,
  observers: number,
  standaloneEnabled: boolean,
  place: SettingPlace,
): void {
  if (voters === 0 && observers > 0) {
    throw new ConfigurationError(
      place,
      'Cannot start observers without participants; add the server.N lines of those who vote',
    );
  }
  if (voters === 1 && observers > 0 && standaloneEnabled) {
    throw new ConfigurationError(
      place,
      'Cannot start observers of a single server; set standaloneEnabled=false, or let more servers vote',
    );
  }
  if (voters === 0 && !standaloneEnabled) {
    throw new ConfigurationError(
      place,
      'Cannot start with standaloneEnabled=false and no server.N lines; set it to true, or add them',
    );
  }
}

/** Two members at one address would be one: whoever copied a line and forgot to change it is told so. */
function requireDifferentAddresses(config: QuorumConfig, place: SettingPlace): void {
  const seen = new Map<string, number>();
  for (const { id, addresses } of config.members.values()) {
    for (const address of addresses.flatMap(endpointsOf)) {
      const other = seen.get(address);
      if (other !== undefined && other !== id) {
        throw new ConfigurationError(
          place,
          `Cannot have two members at one address: server.${other} and server.${id} are both at ${address}; correct one of the lines`,
        );
      }
      seen.set(address, id);
    }
  }
}

function endpointsOf({ host, quorumPort, electionPort }: MemberAddress): readonly string[] {
  return [`${host}:${quorumPort}`, `${host}:${electionPort}`];
}

/** The ids of all members in ascending order, for a message. */
export function idsOf(members: ReadonlyMap<number, QuorumMember>): string {
  return [...members.keys()].sort((a, b) => a - b).join(', ');
}
