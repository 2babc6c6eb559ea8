import type { ModelCaller } from '../model/model-tree.ts';
import type { EnsembleMember } from './ensemble-member.ts';

/** What is known from outside about one session, over all its connections. */
export class SessionRecord {
  /** As `formatLong` has it; '' until a server has given it. */
  name = '';
  timeoutMs = 0;
  /** Who its client has proved to be; '' for nobody. */
  digestId: string;
  /** The newest zxid that a reply has shown. */
  seenZxid = 0;
  /** When those of its packets were sent that a server has answered, ms: each was heard then or later. */
  #answeredMs: number[] = [];
  /** Its packets that have arrived at members that served, the newest last. */
  readonly hearings: Hearing[] = [];
  /** Whether it was known to its member alone when it was given. */
  isLocal = false;
  /** The client has been told that the session is no more. */
  isToldExpired = false;
  /** The client has asked for its end. */
  isClosing = false;

  /** @param digestId what its client proves, '' for nothing */
  constructor(digestId: string) {
    this.digestId = digestId;
  }

  get caller(): ModelCaller {
    return { session: this.name, digestId: this.digestId };
  }

  /** A server has answered what was sent at `sentMs`. */
  answered(sentMs: number): void {
    this.#answeredMs.push(sentMs);
    if (this.#answeredMs.length % 1000 !== 0) return;
    // What is older keeps no session alive when it ends, which is not before the newest was sent.
    const keptFromMs = this.newestAnswered(Number.POSITIVE_INFINITY) - 2 * this.timeoutMs;
    this.#answeredMs = this.#answeredMs.filter((ms) => ms >= keptFromMs);
  }

  /** When the newest of those was sent by `untilMs` that a server has answered, ms; 0 for none. */
  newestAnswered(untilMs: number): number {
    return this.#answeredMs.reduce((newest, ms) => (ms <= untilMs && ms > newest ? ms : newest), 0);
  }
}

/** A packet of a client that has arrived at a member. */
export interface Hearing {
  readonly ms: number;
  readonly member: EnsembleMember;
}
