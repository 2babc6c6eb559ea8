/**
 * Whether a quorum still follows this leader (section 4 of the design: a leader that is cut off must not answer a sync as
 * if it were current, as ZooKeeper's may). A round is a PING to every learner that serves, sent at once when somebody
 * waits for one; it is confirmed when a quorum has answered it or a later one. A voter answers only while it has promised
 * no later epoch, so what was asked before a confirmed round began was asked while nobody else could have led.
 *
 * Owns the numbers of the rounds; sends nothing.
 */
import type { QuorumView } from '../quorum/quorum-view.ts';
import { agreedRound } from './commit-rule.ts';
import { type LearnerLink, LinkStage } from './learner-link.ts';

export class QuorumRounds {
  #sent = 0;
  #wanted = 0;
  #confirmed = 0;

  /** The newest round that was sent. */
  get sent(): number {
    return this.#sent;
  }

  /** The newest round that a quorum has answered. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** Whether somebody waits for a round that is under way or to come. */
  get isAwaited(): boolean {
    return this.#wanted > this.#confirmed;
  }

  /** Whether one is to be sent now. */
  get isDue(): boolean {
    return this.#wanted > this.#sent && this.#sent - this.#confirmed <= underWayMax;
  }

  /** The round that confirms what has come until now; all that comes in one turn shares it. */
  want(): number {
    this.#wanted = this.#sent + 1;
    return this.#wanted;
  }

  /** One is sent. */
  begin(): void {
    this.#sent++;
  }

  /** Learners have answered. Returns whether a round is confirmed by that. */
  confirm(myId: number, links: readonly LearnerLink[], view: QuorumView): boolean {
    const answered = new Map<number, number>([[myId, this.#sent]]);
    for (const { stage, type, sid, answeredRound } of links) {
      if (stage !== LinkStage.serving || type !== 'participant') continue;
      answered.set(sid, Math.min(answeredRound, this.#sent));
    }
    const round = agreedRound(answered, view);
    if (round <= this.#confirmed) return false;
    this.#confirmed = round;
    return true;
  }
}

/** Rounds that may be unanswered; those who want another one share it when it begins. */
const underWayMax = 32;
