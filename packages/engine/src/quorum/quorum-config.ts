import { hashMapOrder, propertiesOrder } from './java-order.ts';
import {
  formatMember,
  isSameMember,
  parseMember,
  QuorumConfigError,
  type QuorumMember,
} from './member.ts';
import { PropertiesSyntaxError, readProperties } from './properties.ts';

/**
 * Who belongs to an ensemble and who decides: the content of the config node, of a dynamic
 * configuration file and of the last part of an election notification.
 */
export interface QuorumConfig {
  /** By id, in the order in which Java prints them. */
  readonly members: ReadonlyMap<number, QuorumMember>;
  /** The group of each server; null when every member counts the same (`QuorumMaj`). */
  readonly groups: ReadonlyMap<number, number> | null;
  /** Weights that were given, and 1 for each other voter; empty without groups. */
  readonly weights: ReadonlyMap<number, number>;
  /** The zxid of the reconfiguration that made it; 0 in the beginning. */
  readonly version: number;
}

/**
 * Reads `server.N=…` lines, `group.G=…` and `weight.N=…` for hierarchical quorums, and `version=<hex>`
 * (`QuorumPeerConfig.parseDynamicConfig`).
 *
 * @throws QuorumConfigError for any other key, or a value that does not do
 */
export function parseQuorumConfig(text: string): QuorumConfig {
  const values = new Map<string, string>();
  try {
    for (const { key, value } of readProperties(text)) values.set(key, value);
  } catch (error) {
    if (error instanceof PropertiesSyntaxError) throw new QuorumConfigError(error.message);
    throw error;
  }
  return quorumConfigOf(values);
}

/**
 * The configuration that these keys and values make.
 *
 * @throws QuorumConfigError for any other key, or a value that does not do
 */
export function quorumConfigOf(values: ReadonlyMap<string, string>): QuorumConfig {
  const members: QuorumMember[] = [];
  const draft: Draft = { groups: new Map(), weights: new Map(), version: 0, isHierarchical: false };
  for (const key of propertiesOrder(values.keys())) {
    const value = values.get(key) ?? '';
    if (key.startsWith('server.')) members.push(parseMember(numberIn(key), value));
    else takeOther(draft, key, value);
  }
  const { groups, weights, version, isHierarchical } = draft;
  if (isHierarchical) completeWeights(members, groups, weights);
  return makeQuorumConfig({ members, groups: isHierarchical ? groups : null, weights, version });
}

/** A configuration from its parts; `members` in the order in which they were added. */
export function makeQuorumConfig(parts: {
  readonly members: readonly QuorumMember[];
  readonly groups?: ReadonlyMap<number, number> | null;
  readonly weights?: ReadonlyMap<number, number>;
  readonly version?: number;
}): QuorumConfig {
  const byId = new Map(parts.members.map((member) => [member.id, member]));
  const ordered = hashMapOrder(byId.keys()).map((id): [number, QuorumMember] => {
    return [id, byId.get(id) as QuorumMember];
  });
  return {
    members: new Map(ordered),
    groups: parts.groups ?? null,
    weights: parts.weights ?? new Map(),
    version: parts.version ?? 0,
  };
}

/** The text of the config node: as Java prints it, with no newline at the end (`QuorumVerifier.toString`). */
export function formatQuorumConfig(config: QuorumConfig): string {
  const lines = [...config.members.values()].map((m) => `server.${m.id}=${formatMember(m)}`);
  if (config.groups !== null) {
    const sidsOf = new Map<number, number[]>();
    for (const sid of hashMapOrder(config.groups.keys())) {
      const group = config.groups.get(sid) ?? 0;
      sidsOf.set(group, [...(sidsOf.get(group) ?? []), sid]);
    }
    for (const group of hashMapOrder(sidsOf.keys())) {
      lines.push(`group.${group}=${sidsOf.get(group)?.join(':') ?? ''}`);
    }
    for (const sid of hashMapOrder(config.weights.keys())) {
      lines.push(`weight.${sid}=${config.weights.get(sid) ?? 1}`);
    }
  }
  lines.push(`version=${config.version.toString(16)}`);
  return lines.join('\n');
}

/** Whether two configurations are one: by their version, or by everything else (`QuorumVerifier.equals`). */
export function isSameQuorumConfig(a: QuorumConfig, b: QuorumConfig): boolean {
  if ((a.groups === null) !== (b.groups === null)) return false;
  if (a.version === b.version) return true;
  if (a.members.size !== b.members.size) return false;
  for (const member of a.members.values()) {
    const other = b.members.get(member.id);
    if (other === undefined || !isSameMember(member, other)) return false;
  }
  return isSameMap(a.groups ?? nothing, b.groups ?? nothing) && isSameMap(a.weights, b.weights);
}

/** Whether a configuration has this member and it votes. */
export function isVoter(config: QuorumConfig, id: number): boolean {
  return config.members.get(id)?.type === 'participant';
}

/** The ids of those who vote, in the order in which Java prints them. */
export function votersOf(config: QuorumConfig): readonly number[] {
  return [...config.members.keys()].filter((id) => isVoter(config, id));
}

interface Draft {
  readonly groups: Map<number, number>;
  readonly weights: Map<number, number>;
  version: number;
  isHierarchical: boolean;
}

const nothing: ReadonlyMap<number, number> = new Map();

function takeOther(draft: Draft, key: string, value: string): void {
  if (key === 'version') {
    draft.version = /^[0-9a-f]{1,14}$/i.test(value) ? Number.parseInt(value, 16) : -1;
    if (draft.version >= 0 && Number.isSafeInteger(draft.version)) return;
    throw new QuorumConfigError(
      `Cannot read the version: current value is ${value}; write a hexadecimal zxid`,
    );
  }
  if (key.startsWith('weight.')) {
    draft.weights.set(numberIn(key), wholeNumber(value, key));
  } else if (key.startsWith('group.')) {
    for (const sid of value.split(':')) addToGroup(draft.groups, wholeNumber(sid, key), key);
  } else {
    throw new QuorumConfigError(
      `Cannot take the key ${key}: only server.N, group.N, weight.N and version stand here`,
    );
  }
  draft.isHierarchical = true;
}

function addToGroup(groups: Map<number, number>, sid: number, key: string): void {
  if (groups.has(sid)) {
    throw new QuorumConfigError(`Cannot put server ${sid} into ${key}: it is in another group too`);
  }
  groups.set(sid, numberIn(key));
}

/** Every voter must be in a group, every server of a group must exist; a weight that is not given is 1. */
function completeWeights(
  members: readonly QuorumMember[],
  groups: ReadonlyMap<number, number>,
  weights: Map<number, number>,
): void {
  for (const { id, type } of members) {
    if (type !== 'participant') continue;
    if (!groups.has(id)) {
      throw new QuorumConfigError(`Cannot count server ${id}: it is in no group; add it to one`);
    }
    if (!weights.has(id)) weights.set(id, 1);
  }
  for (const [sid, group] of groups) {
    if (weights.has(sid)) continue;
    throw new QuorumConfigError(
      `Cannot count group.${group}: server ${sid} is no voter and has no weight; take it out`,
    );
  }
}

function numberIn(key: string): number {
  return wholeNumber(key.slice(key.indexOf('.') + 1), key);
}

function wholeNumber(text: string, key: string): number {
  const value = /^\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new QuorumConfigError(
    `Cannot read a number of ${key}: current value is ${text}; write a whole number from 0`,
  );
}

function isSameMap(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
