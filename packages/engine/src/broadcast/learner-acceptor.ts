/**
 * Where learners are awaited, and how many (`Leader.LearnerCnxAcceptor`). Owns the listening ports, and who has to go when
 * too many come. Hears nothing of what they say.
 */
import { ensembleLimits } from '../limits.ts';
import type {
  NetworkAddress,
  PeerListenerEvents,
  PeerListenerId,
  PeerStreamEvents,
  PeerStreamId,
} from '../ports.ts';
import { cannotAwaitText } from './hello-refusal.ts';
import type { LearnerLink, LearnerLinkEvents } from './learner-link.ts';
import type { LearnerLinks } from './learner-links.ts';
import type { MemberContext } from './member-context.ts';

/** Whom the learners come to. */
export interface LearnerHost extends PeerStreamEvents, LearnerLinkEvents {
  /** A learner is there, and has not said who it is. */
  onConnected(link: LearnerLink): void;
  /** It can be reached at none of its addresses. */
  onUnableToAwait(reason: string): void;
}

export class LearnerAcceptor implements PeerListenerEvents {
  readonly #context: MemberContext;
  readonly #links: LearnerLinks;
  readonly #host: LearnerHost;
  readonly #listeners = new Map<PeerListenerId, NetworkAddress>();
  #isStopped = false;

  constructor(context: MemberContext, links: LearnerLinks, host: LearnerHost) {
    this.#context = context;
    this.#links = links;
    this.#host = host;
  }

  /** Whether there is an address at which learners are awaited. */
  get isListening(): boolean {
    return this.#listeners.size > 0;
  }

  /**
   * Awaits learners at all own addresses, or on every interface.
   *
   * @param ownPort a port besides that for learners: the one of an observer master; else null
   */
  start(ownPort: number | null = null): void {
    const { view, ensemble, peers } = this.#context;
    const asked = new Set<string>();
    for (const { host: own, quorumPort } of view.member(ensemble.myId)?.addresses ?? []) {
      const host = ensemble.listenOnAllIps ? '0.0.0.0' : own;
      const port = ownPort ?? quorumPort;
      const text = `${host}:${port}`;
      // Several addresses may differ by their quorum ports alone.
      if (ownPort !== null && asked.has(text)) continue;
      asked.add(text);
      this.#listeners.set(peers.listen({ host, port }, this), { host, port });
    }
  }

  /** Nobody is let in any more. */
  stop(): void {
    this.#isStopped = true;
    for (const listener of this.#listeners.keys()) this.#context.peers.stopListening(listener);
  }

  onPeerListening(_listener: PeerListenerId, port: number): void {
    this.#context.notice('awaiting learners', null, `learners are awaited on port ${port}`);
  }

  onPeerListenFailed(listener: PeerListenerId, reason: string): void {
    if (this.#isStopped) return;
    const text = cannotAwaitText(this.#context, this.#listeners.get(listener), reason);
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) return this.#host.onUnableToAwait(text);
    this.#context.notice('cannot listen', null, text);
  }

  onPeerAccepted(
    _listener: PeerListenerId,
    stream: PeerStreamId,
    from: NetworkAddress,
  ): PeerStreamEvents {
    const dispensable = this.#links.mostDispensable;
    if (dispensable !== null) this.#host.onBroken(dispensable, 'too many do not say who they are');
    if (this.#isStopped || this.#links.count >= ensembleLimits.learnersMax) {
      const text = `a stream from ${from.host} is closed: there are ${this.#links.count} learners`;
      if (!this.#isStopped) this.#context.notice('learner refused', null, text);
      this.#context.peers.destroy(stream);
    } else this.#host.onConnected(this.#links.add(stream, from, this.#host));
    return this.#host;
  }
}
