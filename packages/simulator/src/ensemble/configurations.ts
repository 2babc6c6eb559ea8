import { formatQuorumConfig } from '@meerkat/engine';
import { formatZxid } from '@meerkat/protocol';
import {
  isSameMembersText,
  type ModelMembers,
  readMembers,
  votersIn,
} from '../model/model-reconfig.ts';
import type { EnsembleMember } from './ensemble-member.ts';
import { demand } from './violation.ts';

/** A configuration, and what it began with: its transaction, or the beginning of an epoch. */
interface InForce {
  readonly from: number;
  readonly members: ModelMembers;
  readonly voters: ReadonlySet<number>;
}

/**
 * Who belongs to the ensemble, seen from outside: the configurations that the committed history puts in force, one
 * after the other, and those that somebody has asked for and that may still come. Owns what counts as a quorum for
 * whom; knows nothing of how members agree on it.
 */
export class Configurations {
  readonly #history: InForce[];
  /** What members said to be in force before it was known to be, by version. */
  readonly #claims = new Map<number, string>();
  #asked: { readonly atMs: number; readonly members: ModelMembers }[] = [];
  readonly #byVersion = new Map<number, string>();
  /** By what each epoch began. */
  readonly #byEpoch = new Map<number, ModelMembers>();

  /** @param text what all members begin with */
  constructor(text: string) {
    const members = readMembers(text);
    this.#history = [{ from: 0, members, voters: votersIn(members) }];
    this.#byVersion.set(members.version, text);
  }

  /** Who belongs to the ensemble by what is committed. */
  get inForce(): ModelMembers {
    return this.#newest.members;
  }

  /** How often it has changed. */
  get changes(): number {
    return this.#history.length - 1;
  }

  /** Who votes by it. */
  get voters(): ReadonlySet<number> {
    return this.#newest.voters;
  }

  /** Whether a member belongs to it. */
  has(id: number): boolean {
    return this.inForce.lines.has(id);
  }

  isVoter(id: number): boolean {
    return this.#newest.voters.has(id);
  }

  /** Whether a member belongs to it and does not vote: it hears of a change only when that is committed. */
  isObserver(id: number): boolean {
    return this.has(id) && !this.isVoter(id);
  }

  /** Whether these members are enough to decide. */
  isQuorum(ids: Iterable<number>): boolean {
    return isMajority(ids, this.#newest.voters);
  }

  /** Whose quorums a transaction needs: of what was in force before it, and of what it puts in force itself. */
  neededFor(zxid: number): readonly ReadonlySet<number>[] {
    const before = this.#history.findLastIndex(({ from }) => from < zxid);
    const needed = this.#history.slice(Math.max(0, before)).filter(({ from }) => from <= zxid);
    return needed.map(({ voters }) => voters);
  }

  /** Voters of all the configurations that are in force or may be soon. */
  get possible(): readonly ReadonlySet<number>[] {
    const claims = [...this.#claims].filter(([version]) => version > this.inForce.version);
    return [
      this.#newest.voters,
      ...claims.map(([, text]) => votersIn(readMembers(text))),
      ...this.#asked.map(({ members }) => votersIn(members)),
    ];
  }

  /** What stands behind a member's `server.N=`, now or once what was asked for last is in force. */
  lineOf(id: number): string | undefined {
    const asked = this.#asked.findLast(({ members }) => members.lines.has(id));
    return this.inForce.lines.get(id) ?? asked?.members.lines.get(id);
  }

  /** Somebody asks for these members. */
  noteAsked(members: ModelMembers, atMs: number): void {
    this.#asked.push({ atMs, members });
  }

  /**
   * A reconfiguration is committed; the model has agreed to its text.
   *
   * @throws Violation when somebody has put another text in force under this version
   */
  onCommitted(zxid: number, text: string, atMs: number): void {
    this.#learn(zxid, text);
    this.#add(zxid, text);
    // What was asked for long before has come, or never will: its version would be a lower one.
    this.#asked = this.#asked.filter((asked) => atMs - asked.atMs < unknownForMs);
  }

  /**
   * A leader begins an epoch with this configuration. Returns whether it is a new one: the first of all, which gets
   * the epoch's version, or one that was proposed and whose transaction was lost.
   *
   * @throws Violation when it is none of these
   */
  onEpoch(epochZxid: number, text: string): boolean {
    const members = readMembers(text);
    const { version, lines } = members;
    this.#byEpoch.set(epochZxid / 2 ** 32, members);
    if (version === this.inForce.version) return false;
    demand(version > this.inForce.version, 'configurations do not go back', () => {
      return `the leader of ${formatZxid(epochZxid)} has version ${formatZxid(version)}, in force is ${formatZxid(this.inForce.version)}`;
    });
    const isFirst = version % 2 ** 32 === 0 && this.inForce.version === 0;
    const isAsked = this.#asked.some(({ members }) => isSameLines(members.lines, lines));
    const isSame = isSameLines(this.inForce.lines, lines);
    demand(isFirst ? isSame : isAsked, 'a configuration was asked for', () => {
      return `the leader of ${formatZxid(epochZxid)} has ${text}`;
    });
    this.#learn(version, text);
    this.#add(epochZxid, text);
    return true;
  }

  /**
   * A member says that a configuration is in force.
   *
   * @throws Violation when another one has its version
   */
  onTold(id: number, text: string): void {
    const { version } = readMembers(text);
    const known = this.#byVersion.get(version) ?? this.#claims.get(version);
    if (known === undefined) {
      demand(version > this.inForce.version, 'what is in force was committed', () => {
        return `${id} says that ${text} is in force, which never was`;
      });
      this.#claims.set(version, text);
      return;
    }
    demand(isSameMembersText(known, text), 'a version is one configuration', () => {
      return `${id} says that it is ${text}, others ${known}`;
    });
  }

  /**
   * A member has come back.
   *
   * @param epoch the newest that it has taken part in, by its disk
   * @throws Violation when it has forgotten what was in force, or by what its epoch began
   */
  onRecovered(member: EnsembleMember, epoch: number): void {
    const { id, members, config, toldVersion, isGivenMembers } = member;
    const proposed = config.ensemble?.proposedMembers ?? null;
    const version = Math.max(members?.version ?? 0, proposed?.version ?? 0);
    demand(version >= toldVersion, 'who has seen a configuration in force knows it', () => {
      return `${id} comes back with ${formatZxid(version)}, in force there was ${formatZxid(toldVersion)}`;
    });
    const needed = this.#byEpoch.get(epoch);
    if (isGivenMembers || needed === undefined || version >= needed.version || members === null)
      return;
    const own = readMembers(formatQuorumConfig(members));
    demand(
      isSameLines(own.lines, needed.lines),
      'an epoch on disk comes with its configuration',
      () => {
        return `${id} comes back with epoch ${epoch} and version ${formatZxid(version)}, it began by ${formatZxid(needed.version)}`;
      },
    );
  }

  /**
   * A member serves by this version.
   *
   * @throws Violation when nobody knows it to be committed
   */
  onServing(id: number, version: number): void {
    demand(this.#byVersion.has(version), 'what is in force was committed', () => {
      return `${id} serves by version ${formatZxid(version)}, in force is ${formatZxid(this.inForce.version)}`;
    });
  }

  get #newest(): InForce {
    return this.#history.at(-1) as InForce;
  }

  #learn(version: number, text: string): void {
    const claim = this.#claims.get(version);
    this.#claims.delete(version);
    demand(
      claim === undefined || isSameMembersText(claim, text),
      'a version is one configuration',
      () => {
        return `committed is ${text}, somebody had ${claim} in force`;
      },
    );
    this.#byVersion.set(version, text);
  }

  #add(from: number, text: string): void {
    const members = readMembers(text);
    this.#history.push({ from, members, voters: votersIn(members) });
  }
}

/** Whether some are more than half of the voters. */
export function isMajority(ids: Iterable<number>, voters: ReadonlySet<number>): boolean {
  let count = 0;
  for (const id of new Set(ids)) if (voters.has(id)) count += 1;
  return count * 2 > voters.size;
}

/** How many of these voters may be without their data, so that all that was acknowledged is somewhere. */
export function spareVoters(voters: ReadonlySet<number>): number {
  return Math.max(0, Math.floor((voters.size - 1) / 2));
}

function isSameLines(a: ReadonlyMap<number, string>, b: ReadonlyMap<number, string>): boolean {
  return a.size === b.size && [...a].every(([id, line]) => b.get(id) === line);
}

/** How long a request may be on its way, ms. */
const unknownForMs = 60_000;
