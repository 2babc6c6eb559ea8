import { bracketed, hostAsJavaPrintsIt } from './host-text.ts';

/** What a member of an ensemble does: vote, or only follow. */
export type LearnerType = 'participant' | 'observer';

/** One address at which the other members reach a member. */
export interface MemberAddress {
  readonly host: string;
  /** Where a leader listens for learners. */
  readonly quorumPort: number;
  /** Where votes are taken. */
  readonly electionPort: number;
}

/** Where a member serves clients. */
export interface ClientAddress {
  /** `0.0.0.0` when only a port was given. */
  readonly host: string;
  readonly port: number;
}

/** One member of an ensemble: a `server.N` line (`QuorumPeer.QuorumServer`). */
export interface QuorumMember {
  /** The N of `server.N`: 0 or more. */
  readonly id: number;
  readonly type: LearnerType;
  /** At least one. */
  readonly addresses: readonly MemberAddress[];
  readonly client: ClientAddress | null;
  readonly secureClient: ClientAddress | null;
}

/** A text that is no configuration of an ensemble; the message says what to write instead. */
export class QuorumConfigError extends Error {
  override readonly name: string = 'QuorumConfigError';
}

/**
 * Reads the value of a `server.N` line:
 * `host:quorumPort:electionPort[:type][|host2:…][;[clientHost:]clientPort][;[host:]securePort]`.
 *
 * @throws QuorumConfigError when it is none
 */
export function parseMember(id: number, text: string): QuorumMember {
  const key = `server.${id}`;
  const [servers = '', client = '', secureClient = '', ...rest] = text.split(';');
  const addresses: MemberAddress[] = [];
  const types = new Set<LearnerType>();
  for (const server of servers.split('|')) {
    const parts = partsOf(server.trim());
    const [host = '', quorumPort, electionPort, type] = parts;
    if (host === '' || parts.length < 3 || parts.length > 4 || rest.length > 0) {
      throw new QuorumConfigError(
        `Cannot read the member ${key}: current value is ${text}; write ${key}=host:2888:3888`,
      );
    }
    addresses.push({
      host: hostAsJavaPrintsIt(host),
      quorumPort: portOf(quorumPort, key, text),
      electionPort: portOf(electionPort, key, text),
    });
    if (type !== undefined) types.add(learnerTypeOf(type, key));
  }
  checkAddresses(addresses, types, key);
  return {
    id,
    type: types.values().next().value ?? 'participant',
    addresses,
    client: clientAddressOf(client, key),
    secureClient: clientAddressOf(secureClient, key),
  };
}

/** The value of a `server.N` line as Java prints it (`QuorumServer.toString`). */
export function formatMember(member: QuorumMember): string {
  const byHost = [...member.addresses].sort((a, b) => compareText(a.host, b.host));
  const servers = byHost
    .map((a) => `${bracketed(a.host)}:${a.quorumPort}:${a.electionPort}`)
    .join('|');
  const client = member.client === null ? '' : `;${formatClient(member.client)}`;
  const before = member.client === null ? ';;' : ';';
  const secure = member.secureClient === null ? '' : before + formatClient(member.secureClient);
  return `${servers}:${member.type}${client}${secure}`;
}

/** Whether two members are the same in everything; the order of addresses does not count. */
export function isSameMember(a: QuorumMember, b: QuorumMember): boolean {
  return a.id === b.id && formatMember(a) === formatMember(b);
}

function checkAddresses(
  addresses: readonly MemberAddress[],
  types: ReadonlySet<LearnerType>,
  key: string,
): void {
  const twice = addresses.find(({ quorumPort, electionPort }) => quorumPort === electionPort);
  if (twice !== undefined) {
    throw new QuorumConfigError(
      `Cannot use one port for two things in ${key}: current value is ${twice.quorumPort}; give quorum and election a port each`,
    );
  }
  if (types.size > 1) {
    throw new QuorumConfigError(
      `Cannot give ${key} two roles: current values are ${[...types].join(' and ')}; write the same behind each address`,
    );
  }
}

function clientAddressOf(text: string, key: string): ClientAddress | null {
  if (text.trim() === '') return null;
  const parts = partsOf(text.trim());
  const port = Number(parts.at(-1));
  if (parts.length > 2 || !isPort(parts.at(-1) ?? '')) {
    throw new QuorumConfigError(
      `Cannot read the client address of ${key}: current value is ${text}; write ;2181 or ;host:2181`,
    );
  }
  const host = parts.length === 2 ? hostAsJavaPrintsIt(parts[0] ?? '') : '';
  return { host: host === '' ? '0.0.0.0' : host, port };
}

function formatClient({ host, port }: ClientAddress): string {
  return `${bracketed(host)}:${port}`;
}

/** Cuts at colons, but not inside brackets (`ConfigUtils.getHostAndPort`). */
function partsOf(text: string): string[] {
  const bracket = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracket === null) return text.split(':');
  const ports = bracket[2] === undefined ? [] : bracket[2].split(':');
  return [bracket[1] ?? '', ...ports];
}

function portOf(text: string | undefined, key: string, value: string): number {
  if (text !== undefined && isPort(text.trim())) return Number(text);
  throw new QuorumConfigError(
    `Cannot read the port ${text ?? ''} of ${key}: current value is ${value}; write ${key}=host:2888:3888`,
  );
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

function learnerTypeOf(text: string, key: string): LearnerType {
  const type = text.trim().toLowerCase();
  if (type === 'participant' || type === 'observer') return type;
  throw new QuorumConfigError(
    `Cannot read the role of ${key}: current value is ${text}; write participant or observer`,
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
