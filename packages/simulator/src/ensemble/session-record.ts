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
  /** When the newest of those requests was sent that a server has answered, ms: it was heard then or later. */
  heardMs = 0;
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
}

/** A packet of a client that has arrived at a member. */
export interface Hearing {
  readonly ms: number;
  readonly member: EnsembleMember;
}
