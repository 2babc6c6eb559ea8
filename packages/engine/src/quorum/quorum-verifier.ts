import { isVoter, type QuorumConfig, votersOf } from './quorum-config.ts';

/** Decides whether a set of members is enough. Owns the arithmetic; refuses acks of those who do not vote. */
export interface QuorumVerifier {
  readonly config: QuorumConfig;
  /** The voters, in the order in which Java goes through them. */
  readonly voters: readonly number[];
  /** Whether these members decide. Members that do not vote are not counted. */
  containsQuorum(acks: ReadonlySet<number>): boolean;
  /** How much a member's word counts; one with 0 never leads. */
  weightOf(id: number): number;
  /** The tie-breaker of two members, null in every other ensemble. */
  readonly oracle: TwoNodeOracle | null;
}

/** Says which of two members may go on alone: outside knowledge, given by the host (`oraclePath`). */
export interface Oracle {
  /** Whether this member may go on without the other: the file's first character is `1`. */
  isGranted(): boolean;
}

/** The verifier that a configuration asks for. `oracle` counts only with exactly two voters (`QuorumOracleMaj`). */
export function quorumVerifierOf(
  config: QuorumConfig,
  oracle: Oracle | null = null,
): QuorumVerifier {
  if (config.groups !== null) return new HierarchicalQuorum(config, config.groups);
  return new MajorityQuorum(config, oracle);
}

/** More than half of the voters (`QuorumMaj`), or with an oracle one of two (`QuorumOracleMaj`). */
class MajorityQuorum implements QuorumVerifier {
  readonly config: QuorumConfig;
  readonly voters: readonly number[];
  readonly oracle: TwoNodeOracle | null;

  constructor(config: QuorumConfig, oracle: Oracle | null) {
    this.config = config;
    this.voters = votersOf(config);
    this.oracle = oracle !== null && this.voters.length === 2 ? new TwoNodeOracle(oracle) : null;
  }

  containsQuorum(acks: ReadonlySet<number>): boolean {
    let count = 0;
    for (const id of acks) if (isVoter(this.config, id)) count += 1;
    if (count > this.voters.length / 2) return true;
    return count > 0 && this.oracle !== null && this.oracle.mayGoOnAlone();
  }

  weightOf(_id: number): number {
    return 1;
  }
}

/** More than half the weight in more than half of the groups that have any (`QuorumHierarchical`). */
class HierarchicalQuorum implements QuorumVerifier {
  readonly config: QuorumConfig;
  readonly voters: readonly number[];
  readonly oracle: TwoNodeOracle | null = null;
  readonly #groups: ReadonlyMap<number, number>;
  readonly #groupWeights = new Map<number, number>();

  constructor(config: QuorumConfig, groups: ReadonlyMap<number, number>) {
    this.config = config;
    this.voters = votersOf(config);
    this.#groups = groups;
    for (const [id, group] of groups) addTo(this.#groupWeights, group, this.weightOf(id));
    for (const [group, weight] of this.#groupWeights) {
      if (weight === 0) this.#groupWeights.delete(group);
    }
  }

  containsQuorum(acks: ReadonlySet<number>): boolean {
    const weights = new Map<number, number>();
    for (const id of acks) {
      const group = this.#groups.get(id);
      if (group !== undefined && isVoter(this.config, id)) addTo(weights, group, this.weightOf(id));
    }
    let groups = 0;
    for (const [group, total] of this.#groupWeights) {
      if ((weights.get(group) ?? 0) > total / 2) groups += 1;
    }
    return groups > this.#groupWeights.size / 2;
  }

  weightOf(id: number): number {
    return this.config.weights.get(id) ?? 1;
  }
}

/**
 * What one of two members knows about going on alone. Owns whether the oracle is needed: it is until a
 * leader has a follower, and again when it has lost it (`QuorumOracleMaj.updateNeedOracle`).
 */
export class TwoNodeOracle {
  readonly #oracle: Oracle;
  #isNeeded = true;

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  /** The leader tells whether anybody follows it. */
  setHasFollowers(hasFollowers: boolean): void {
    this.#isNeeded = !hasFollowers;
  }

  /** Whether one member alone is a quorum now. */
  mayGoOnAlone(): boolean {
    return this.#isNeeded && this.#oracle.isGranted();
  }

  /** Whether the other one leads by the oracle's will: the oracle has not chosen this member. */
  hasChosenTheOther(): boolean {
    return this.#isNeeded && !this.#oracle.isGranted();
  }
}

function addTo(sums: Map<number, number>, key: number, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
