import type { Clock, ConnectionThrottleConfig, Random } from '@meerkat/engine';

/** What a connection wants, which may cost different numbers of tokens. */
export type SessionKind = 'local' | 'renew' | 'global';

/** Steps of a drop probability, since the random port gives whole numbers. */
const probabilitySteps = 2 ** 32;

/**
 * The gate in front of new and renewed sessions: a token bucket, and, when it stays empty, a
 * growing probability of being turned away (`BlueThrottle.java`). Who is turned away is closed
 * without a word.
 */
export class ConnectionThrottle {
  readonly #config: ConnectionThrottleConfig;
  readonly #clock: Clock;
  readonly #random: Random;
  #tokens: number;
  #dropProbability = 0;
  #filledMs: number;
  #frozenMs: number;

  constructor(config: ConnectionThrottleConfig, clock: Clock, random: Random) {
    this.#config = config;
    this.#clock = clock;
    this.#random = random;
    this.#tokens = config.tokens;
    this.#filledMs = clock.monotonicMs();
    this.#frozenMs = this.#filledMs;
  }

  /** From 0 to 1; `connection_drop_probability` of `mntr`. */
  get dropProbability(): number {
    return this.#dropProbability;
  }

  /** Tokens missing from the bucket. */
  get deficit(): number {
    return this.#config.tokens - this.#tokens;
  }

  /** Takes the tokens for a session, or says that it must be turned away. */
  letsIn(kind: SessionKind): boolean {
    const { tokens, freezeTimeMs } = this.#config;
    if (tokens === 0) return true;
    const nowMs = this.#clock.monotonicMs();
    this.#fill(nowMs);
    if (freezeTimeMs !== -1) {
      this.#adapt(nowMs);
      if (this.#random.below(probabilitySteps) < this.#dropProbability * probabilitySteps) {
        return false;
      }
    }
    const cost = this.#cost(kind);
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  #fill(nowMs: number): void {
    const { tokens, fillTimeMs, fillCount } = this.#config;
    const passedMs = nowMs - this.#filledMs;
    if (passedMs <= fillTimeMs) return;
    const added = Math.floor((passedMs * fillCount) / fillTimeMs);
    this.#tokens = Math.min(tokens, this.#tokens + added);
    this.#filledMs = nowMs;
  }

  #adapt(nowMs: number): void {
    const { tokens, freezeTimeMs, dropIncrease, dropDecrease, decreaseRatio } = this.#config;
    if (nowMs - this.#frozenMs <= freezeTimeMs) return;
    this.#frozenMs = nowMs;
    if (this.#tokens === 0) {
      this.#dropProbability = Math.min(1, this.#dropProbability + dropIncrease);
    } else if (this.deficit <= Math.round(tokens * decreaseRatio)) {
      this.#dropProbability = Math.max(0, this.#dropProbability - dropDecrease);
    }
  }

  #cost(kind: SessionKind): number {
    const config = this.#config;
    if (!config.weightEnabled) return 1;
    switch (kind) {
      case 'local':
        return config.localSessionWeight;
      case 'renew':
        return config.renewSessionWeight;
      case 'global':
        return config.globalSessionWeight;
    }
  }
}
