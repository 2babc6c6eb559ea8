/**
 * The links of a leader to all its learners. Owns what goes to many of them at once, which is written once in a turn
 * and copied to each behind what was meant for it alone.
 */
import type { JuteWriter } from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import type { NetworkAddress, PeerStreamId } from '../ports.ts';
import { LearnerLink, type LearnerLinkEvents, LinkStage } from './learner-link.ts';
import type { MemberContext } from './member-context.ts';

export class LearnerLinks {
  readonly #context: MemberContext;
  /** PROPOSALs and COMMITs of this turn, for all followers. */
  readonly toFollowers: JuteWriter;
  /** INFORMs of this turn, for all observers. */
  readonly toObservers: JuteWriter;
  readonly #unsentBytesMax: number;
  readonly #byStream = new Map<PeerStreamId, LearnerLink>();
  #all: LearnerLink[] = [];

  /** @param unsentBytesMax bytes that may wait for one of them */
  constructor(
    context: MemberContext,
    toFollowers: JuteWriter,
    toObservers: JuteWriter,
    unsentBytesMax: number = ensembleLimits.learnerBytesMax,
  ) {
    this.#unsentBytesMax = unsentBytesMax;
    this.#context = context;
    this.toFollowers = toFollowers;
    this.toObservers = toObservers;
  }

  get count(): number {
    return this.#all.length;
  }

  /** Whether an observer is to be told of what is committed. */
  get hasObservers(): boolean {
    return this.#all.some((link) => link.isForwarding && link.type === 'observer');
  }

  all(): readonly LearnerLink[] {
    return this.#all;
  }

  get(stream: PeerStreamId): LearnerLink | undefined {
    return this.#byStream.get(stream);
  }

  /** Another link of the server that `link` belongs to. */
  bySid(link: LearnerLink): LearnerLink | null {
    return (
      this.#all.find((other) => other !== link && other.sid === link.sid && link.sid >= 0) ?? null
    );
  }

  /**
   * Who has to go when one more comes: of those that have not said who they are, the one that has waited longest;
   * null while there is room for more, or nobody of that kind.
   */
  get mostDispensable(): LearnerLink | null {
    const nameless = this.#all.filter(({ stage }) => stage === LinkStage.hello);
    const { learnersMax, namelessLearnersMax } = ensembleLimits;
    const isFull = nameless.length >= namelessLearnersMax || this.count >= learnersMax;
    return isFull ? (nameless[0] ?? null) : null;
  }

  add(stream: PeerStreamId, from: NetworkAddress, events: LearnerLinkEvents): LearnerLink {
    const { peers, packetLimits } = this.#context;
    const link = new LearnerLink(stream, from, peers, packetLimits, this.#unsentBytesMax, events);
    this.#byStream.set(stream, link);
    this.#all = [...this.#all, link];
    return link;
  }

  remove(link: LearnerLink): void {
    this.#byStream.delete(link.stream);
    this.#all = this.#all.filter((other) => other !== link);
  }

  /** What is proposed and committed from now on goes to this one too. */
  beginForwarding(link: LearnerLink): void {
    link.isForwarding = true;
    link.sharedTaken = this.#sharedOf(link).length;
  }

  /** Where a packet for one learner is written, behind all that went to many before it. */
  ordered(link: LearnerLink): JuteWriter {
    this.#catchUp(link);
    return link.outbox;
  }

  /** Everything leaves. Returns those who do not keep up. */
  flush(): LearnerLink[] {
    const slow: LearnerLink[] = [];
    for (const link of this.#all) {
      if (link.stage === LinkStage.closed) continue;
      this.#catchUp(link);
      link.sharedTaken = 0;
      if (!link.flush()) slow.push(link);
    }
    this.toFollowers.clear();
    this.toObservers.clear();
    return slow;
  }

  #catchUp(link: LearnerLink): void {
    if (!link.isForwarding) return;
    const shared = this.#sharedOf(link);
    if (link.sharedTaken === shared.length) return;
    link.outbox.writeBytes(shared.bytes, link.sharedTaken, shared.length);
    link.sharedTaken = shared.length;
  }

  #sharedOf(link: LearnerLink): JuteWriter {
    return link.type === 'participant' ? this.toFollowers : this.toObservers;
  }
}
