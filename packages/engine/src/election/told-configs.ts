/**
 * What other servers say the members are: each of their votes carries a configuration (`FastLeaderElection.WorkerReceiver`).
 * Owns the comparison with this member's own: a newer one is told while a leader is looked for, a different one of the same
 * version is somebody's mistake. Refuses what is no configuration, in words.
 */
import { configDifference } from '../quorum/config-difference.ts';
import { QuorumConfigError } from '../quorum/member.ts';
import {
  formatQuorumConfig,
  parseQuorumConfig,
  type QuorumConfig,
} from '../quorum/quorum-config.ts';
import type { ElectionNotice } from './election-notice.ts';

/** Who hears of what they say. */
export interface ToldConfigEvents {
  /** A peer has a newer configuration. */
  onNewerConfig(config: QuorumConfig, from: number): void;
  onNotice(notice: ElectionNotice): void;
}

export class ToldConfigs {
  readonly #events: ToldConfigEvents;
  #own: QuorumConfig;
  #ownText: string;

  constructor(own: QuorumConfig, events: ToldConfigEvents) {
    this.#events = events;
    this.#own = own;
    this.#ownText = formatQuorumConfig(own);
  }

  /** This member's own configuration, as its votes carry it. */
  get ownText(): string {
    return this.#ownText;
  }

  /** Another one is in force here. */
  setOwn(own: QuorumConfig): void {
    this.#own = own;
    this.#ownText = formatQuorumConfig(own);
  }

  /**
   * Takes what a server's vote carries.
   *
   * @param text null when it carries none
   * @param isLooking whether a newer one is of interest: it is while a leader is looked for
   */
  take(sid: number, text: string | null, isLooking: boolean): void {
    if (text === null || text === this.#ownText) return;
    try {
      const config = parseQuorumConfig(text);
      if (config.version === this.#own.version) return this.#compare(sid, config);
      if (config.version < this.#own.version || !isLooking) return;
      this.#events.onNewerConfig(config, sid);
    } catch (error) {
      if (!(error instanceof QuorumConfigError)) throw error;
      const said = `the configuration of server ${sid} is left out: ${error.message}`;
      this.#events.onNotice({ kind: 'malformed configuration', sid, text: said });
    }
  }

  /** Members that were told different things may elect nobody, or two of them: somebody should hear of it. */
  #compare(sid: number, theirs: QuorumConfig): void {
    const difference = configDifference(this.#own, theirs);
    if (difference === null) return;
    const text = `server ${sid} has another configuration: ${difference}; write the same server.N lines everywhere`;
    this.#events.onNotice({ kind: 'other configuration', sid, text });
  }
}
