/**
 * Of which clients a leader must have heard, worked out from what has arrived where, and nothing that the engine says.
 *
 * A member has heard a client when something that the client sent on its session's connection has arrived there. The
 * leader pings all who serve twice a tick, and they answer with whom they have heard since. So, of a member that follows
 * since before it heard the client: what its leader sends more than half a tick later comes behind a PING; what the
 * member sends once it has that comes behind the answer; and once the leader has that, it has heard the client. With
 * `observerMasterPort` an observer tells the follower that it follows in the same way, and that one the leader.
 * Nothing is concluded from a time in which one of them stood still.
 */
import type { Arrival } from '../simulated-peer-network.ts';
import {
  clientPort,
  type EnsembleMember,
  observerMasterPort,
  quorumPort,
} from './ensemble-member.ts';
import type { Hearing, SessionRecord } from './session-record.ts';

export class HeardSessions {
  readonly #members: readonly EnsembleMember[];
  readonly #tickTimeMs: number;
  /** What each member has of what another one sent, in the order of arrival. */
  readonly #arrivals = new Map<string, Crossing[]>();

  constructor(members: readonly EnsembleMember[], tickTimeMs: number) {
    this.#members = members;
    this.#tickTimeMs = tickTimeMs;
  }

  /** Something has arrived, `nowMs`. `record` is the session on whose connection it did, if it was on one's. */
  arrived({ from, to, port, sentMs }: Arrival, nowMs: number, record: SessionRecord | null): void {
    if (port === clientPort) {
      const member = this.#members.find(({ host }) => host === to);
      if (record === null || member === undefined || !member.isServing) return;
      record.hearings.push({ ms: nowMs, member });
      if (record.hearings.length > 2 * hearingsKept) record.hearings.splice(0, hearingsKept);
    } else if (port === quorumPort || port === observerMasterPort) {
      const key = `${from}>${to}`;
      const crossings = this.#arrivals.get(key) ?? [];
      if (crossings.length === 0) this.#arrivals.set(key, crossings);
      crossings.push({ sentMs, arrivedMs: nowMs });
      // As long as the longest session.
      const keptFromMs = nowMs - 25 * this.#tickTimeMs;
      if (crossings.length % 1000 === 0) {
        this.#arrivals.set(
          key,
          crossings.filter(({ arrivedMs }) => arrivedMs > keptFromMs),
        );
      }
    }
  }

  /** When the newest packet of a session arrived that `leader`, who lets it go, must have heard of, or null. */
  newestKnownTo(leader: EnsembleMember, record: SessionRecord): number | null {
    for (let i = record.hearings.length - 1; i >= 0; i--) {
      const { ms, member } = record.hearings[i] as Hearing;
      if (ms < leader.roleSinceMs) return null;
      // Who does not lead knows what it has heard itself.
      if (leader.role !== 'leading' && member !== leader) continue;
      if (this.#knownAt(leader, member, ms) !== null) return ms;
    }
    return null;
  }

  /** By when `leader` knows what `member` has heard by `heardMs`, as far as that has happened. */
  #knownAt(leader: EnsembleMember, member: EnsembleMember, heardMs: number): number | null {
    if (member === leader) return heardMs;
    const isLearner = member.role === 'following' || member.role === 'observing';
    if (!isLearner || member.epoch !== leader.epoch || member.roleSinceMs > heardMs) return null;
    const upstream = this.#upstreamOf(member, leader);
    if (upstream === undefined) return null;
    const pingMs = this.#arrival(upstream, member, heardMs + pingTicksMax * this.#tickTimeMs);
    if (pingMs === null) return null;
    const answerMs = this.#arrival(member, upstream, pingMs);
    if (answerMs === null) return null;
    if (member.stoodStillSince(heardMs) || upstream.stoodStillSince(heardMs)) return null;
    return this.#knownAt(leader, upstream, answerMs);
  }

  /** Whom a learner tells: the leader, or the follower that an observer follows. */
  #upstreamOf(member: EnsembleMember, leader: EnsembleMember): EnsembleMember | undefined {
    if (member.role === 'following') return leader;
    const id = member.replica?.member?.learnerMasterId;
    return this.#members.find((each) => each.id === id);
  }

  /** When something arrived that was sent after `sentMs`. */
  #arrival(from: EnsembleMember, to: EnsembleMember, sentMs: number): number | null {
    const crossings = this.#arrivals.get(`${from.host}>${to.host}`) ?? [];
    return crossings.find((crossing) => crossing.sentMs > sentMs)?.arrivedMs ?? null;
  }
}

interface Crossing {
  readonly sentMs: number;
  readonly arrivedMs: number;
}

/** Half a tick, by the slowest clock, and the end of a turn. */
const pingTicksMax = 0.55;
const hearingsKept = 64;
