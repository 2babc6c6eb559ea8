import { ErrorCode, type ReconfigRequest } from '@meerkat/protocol';
import { isWildcardHost } from './host-text.ts';
import { hashMapOrder } from './java-order.ts';
import { type MemberAddress, parseMember, QuorumConfigError, type QuorumMember } from './member.ts';
import {
  isVoter,
  makeQuorumConfig,
  parseQuorumConfig,
  type QuorumConfig,
} from './quorum-config.ts';
import type { QuorumVerifier } from './quorum-verifier.ts';

/**
 * The rules of a change of members (`PrepRequestProcessor`, `Leader.getDesignatedLeader`). Owns what a request
 * makes of a configuration and who leads afterwards; refuses to know whether a change is under way, who may
 * ask for one, and who is connected: the leader says so.
 */

/** Why a request for a reconfiguration fails. */
export interface ReconfigRefusal {
  readonly code: ErrorCode;
  /** What is wrong, for the log. */
  readonly reason: string;
}

/** What the answer to a request depends on besides the members. */
export interface ReconfigOptions {
  /** Whether a configuration of one voter would be a server that is alone. `standaloneEnabled`. */
  readonly standaloneEnabled: boolean;
  /** Whether members may have several addresses. `multiAddress.enabled`. */
  readonly multiAddressEnabled: boolean;
}

/**
 * The configuration that a request asks for, with the version of the one before: the caller gives it the zxid
 * of the transaction (`withVersion`), once a quorum of it is connected (`hasConnectedQuorum`).
 *
 * Codes, in Java's order: BADVERSION when the request is for another version; then of a whole configuration or of
 * lists of members BADARGUMENTS when they do not do, MARSHALLINGERROR where Java fails by surprise (an id that is
 * no number, a configuration without voters); BADARGUMENTS when fewer than two voters are left, or none when
 * `standaloneEnabled` is false.
 *
 * @param lastSeen the configuration in force, and no other is being introduced
 */
export function reconfigured(
  lastSeen: QuorumConfig,
  request: ReconfigRequest,
  options: ReconfigOptions,
): QuorumConfig | ReconfigRefusal {
  const { curConfigId, newMembers } = request;
  if (curConfigId !== -1 && curConfigId !== lastSeen.version) {
    return {
      code: ErrorCode.badVersion,
      reason: `Cannot change version ${curConfigId} of the configuration: current value is ${lastSeen.version}`,
    };
  }
  try {
    const { version } = lastSeen;
    const next =
      newMembers === null ? changed(lastSeen, request, options) : replaced(newMembers, options);
    checkVoterCount(next, options);
    return { ...next, version };
  } catch (error) {
    if (error instanceof Refused) return { code: error.code, reason: error.message };
    if (!(error instanceof QuorumConfigError)) throw error;
    return { code: ErrorCode.badArguments, reason: error.message };
  }
}

/** Whether what `reconfigured` returned is a refusal. */
export function isReconfigRefusal(
  outcome: QuorumConfig | ReconfigRefusal,
): outcome is ReconfigRefusal {
  return 'code' in outcome;
}

/** The configuration with the zxid of the transaction that introduces it. */
export function withVersion(config: QuorumConfig, zxid: number): QuorumConfig {
  return { ...config, version: zxid };
}

/**
 * Whether a leader and those of its learners that are synchronised are a quorum of a configuration; if
 * not, the answer is NEWCONFIGNOQUORUM (`Leader.isQuorumSynced`).
 */
export function hasConnectedQuorum(
  verifier: QuorumVerifier,
  leaderId: number,
  syncedLearners: Iterable<number>,
): boolean {
  const connected = new Set(syncedLearners).add(leaderId);
  for (const id of connected) if (!isVoter(verifier.config, id)) connected.delete(id);
  return verifier.containsQuorum(connected);
}

/** Who is to lead under a configuration that is being committed, and what that depends on. */
export interface LeaderChoice {
  /** The leader that commits the configuration. */
  readonly leaderId: number;
  /** Where it awaits learners now. */
  readonly leaderAddresses: readonly MemberAddress[];
  readonly oldConfig: QuorumConfig;
  readonly newConfig: QuorumConfig;
  /** Who has acknowledged the reconfiguration. */
  readonly acks: ReadonlySet<number>;
  /** Who has acknowledged each transaction proposed after it, in order. */
  readonly laterAcks: Iterable<ReadonlySet<number>>;
}

/**
 * The member that is to lead under a new configuration: the leader itself if it votes there and has kept
 * the address where it awaits learners, else the voter that has acknowledged the most
 * (`Leader.getDesignatedLeader`). The leader too when no other voter has acknowledged anything, where Java fails.
 */
export function designatedLeader(choice: LeaderChoice): number {
  const { leaderId, leaderAddresses, oldConfig, newConfig } = choice;
  const self = newConfig.members.get(leaderId);
  if (self?.type === 'participant' && isSameQuorumAddress(self.addresses, leaderAddresses)) {
    return leaderId;
  }
  let candidates = hashMapOrder(choice.acks).filter(
    (id) => id !== leaderId && isVoter(newConfig, id),
  );
  let best = candidates[0] ?? leaderId;
  for (const acks of choice.laterAcks) {
    // Of the old voters first: Java asks each configuration in turn, and takes what is left.
    for (const config of [oldConfig, newConfig]) {
      candidates = candidates.filter((id) => acks.has(id) && isVoter(config, id));
      if (candidates.length === 0) return best;
      best = candidates[0] ?? best;
    }
  }
  return best;
}

/** A refusal on its way out. */
class Refused extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** A whole new configuration; entries may be separated by commas as well as by new lines. */
function replaced(newMembers: string, options: ReconfigOptions): QuorumConfig {
  const config = parseQuorumConfig(newMembers.replaceAll(',', '\n'));
  for (const member of config.members.values()) checkAddressCount(member, options);
  const voterCount = voterCountOf(config);
  const hasObservers = config.members.size > voterCount;
  if (voterCount === 0 && (hasObservers || !options.standaloneEnabled)) {
    throw new Refused(ErrorCode.marshallingError, 'Cannot take a configuration without voters');
  }
  if (voterCount === 1 && hasObservers && options.standaloneEnabled) {
    throw new Refused(
      ErrorCode.marshallingError,
      'Cannot take a configuration of one voter and observers; set standaloneEnabled=false',
    );
  }
  return config;
}

/** The members without those that leave, and with those that join, in place of what they were. */
function changed(
  lastSeen: QuorumConfig,
  request: ReconfigRequest,
  options: ReconfigOptions,
): QuorumConfig {
  const joining = itemsOf(request.joiningServers, ',');
  const leaving = itemsOf(request.leavingServers, ',');
  if (lastSeen.groups !== null) {
    throw new Refused(
      ErrorCode.badArguments,
      'Cannot add or remove members where groups decide: give the whole configuration instead',
    );
  }
  const members = new Map(lastSeen.members);
  for (const text of leaving) members.delete(idOf(text));
  for (const text of joining) {
    const joiner = joinerOf(text);
    checkAddressCount(joiner, options);
    for (const member of members.values()) checkAddresses(joiner, member);
    members.delete(joiner.id);
    members.set(joiner.id, joiner);
  }
  return makeQuorumConfig({ members: [...members.values()] });
}

function joinerOf(text: string): QuorumMember {
  const [key, value, ...rest] = itemsOf(text, '=');
  if (key === undefined || value === undefined || rest.length > 0) {
    throw new QuorumConfigError(
      `Cannot add a member: current value is ${text}; write server.4=host:2888:3888;2181`,
    );
  }
  const id = idOf(key.slice(key.lastIndexOf('.') + 1));
  if (id < 0) throw new QuorumConfigError(`Cannot add a member with the id ${id}; ids begin at 0`);
  const member = parseMember(id, value);
  if (member.client === null && member.secureClient === null) {
    throw new QuorumConfigError(
      `Cannot add server.${id} without a port for clients: current value is ${value}; write it behind a semicolon`,
    );
  }
  return member;
}

/** `StringUtils.split` of ZooKeeper: trimmed, without empty ones. */
function itemsOf(text: string | null, separator: string): string[] {
  if (text === null) return [];
  return text
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function idOf(text: string): number {
  const id = /^[+-]?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(id)) return id;
  throw new Refused(
    ErrorCode.marshallingError,
    `Cannot read the id of a member: current value is ${text}; write a whole number`,
  );
}

/** Two members cannot have one address; those that mean this machine or any of it do not count. */
function checkAddresses(joiner: QuorumMember, member: QuorumMember): void {
  if (joiner.id === member.id) return;
  const taken = new Set(socketAddressesOf(member));
  const twice = socketAddressesOf(joiner).find((address) => taken.has(address));
  if (twice === undefined) return;
  throw new QuorumConfigError(
    `Cannot add server.${joiner.id} with the address ${twice}: server.${member.id} has it`,
  );
}

function socketAddressesOf(member: QuorumMember): string[] {
  const addresses: string[] = [];
  const add = (host: string, port: number): void => {
    if (!isWildcardHost(host) && !isLoopbackHost(host)) addresses.push(`${host}:${port}`);
  };
  for (const { host, quorumPort, electionPort } of member.addresses) {
    add(host, quorumPort);
    add(host, electionPort);
  }
  for (const client of [member.client, member.secureClient]) {
    if (client !== null) add(client.host, client.port);
  }
  return addresses;
}

/** Whether a host, as Java prints it, is this machine by its literal or by the name that it has everywhere. */
function isLoopbackHost(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$|^(0:){7}1$|^localhost$/i.test(host);
}

function checkAddressCount({ id, addresses }: QuorumMember, options: ReconfigOptions): void {
  if (options.multiAddressEnabled || addresses.length === 1) return;
  throw new QuorumConfigError(
    `Cannot give server.${id} ${addresses.length} addresses: set multiAddress.enabled=true, or give one`,
  );
}

function checkVoterCount(config: QuorumConfig, options: ReconfigOptions): void {
  const count = voterCountOf(config);
  const needed = options.standaloneEnabled ? 2 : 1;
  if (count >= needed) return;
  throw new QuorumConfigError(
    `Cannot leave ${count} voters: at least ${needed} are needed` +
      (options.standaloneEnabled ? ', or one with standaloneEnabled=false' : ''),
  );
}

function voterCountOf(config: QuorumConfig): number {
  let count = 0;
  for (const { type } of config.members.values()) if (type === 'participant') count++;
  return count;
}

function isSameQuorumAddress(a: readonly MemberAddress[], b: readonly MemberAddress[]): boolean {
  const textsOf = (addresses: readonly MemberAddress[]): Set<string> =>
    new Set(addresses.map(({ host, quorumPort }) => `${host}:${quorumPort}`));
  const texts = textsOf(b);
  const others = textsOf(a);
  return others.size === texts.size && [...others].every((text) => texts.has(text));
}
