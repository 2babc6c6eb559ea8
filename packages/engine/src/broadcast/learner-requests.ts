/**
 * What the leader does for the clients of its learners: their requests become transactions, their sessions are kept
 * alive, moved and judged (`LearnerHandler.run`, `LeaderZooKeeperServer.java`). Owns the syncs that wait for what others
 * have proposed.
 */
import {
  ErrorCode,
  type JuteReader,
  OpCode,
  JuteReader as Reader,
  type Zxid,
} from '@meerkat/protocol';
import { FirstInFirstOut } from '../first-in-first-out.ts';
import { ensembleLimits } from '../limits.ts';
import type { WritePipeline } from '../requests/write-pipeline.ts';
import type { WriteRequest } from '../requests/write-route.ts';
import { forwardRefusal, isUnanswerable } from './forwarded-request.ts';
import { type LearnerLink, LinkStage } from './learner-link.ts';
import type { LearnerLinks } from './learner-links.ts';
import type { MemberContext } from './member-context.ts';
import {
  beginPacket,
  dataReader,
  endPacket,
  PacketIds,
  PacketType,
  type ReceivedPacket,
  writeBarePacket,
} from './quorum-packet.ts';
import type { QuorumRounds } from './quorum-rounds.ts';

export class LearnerRequests {
  readonly #context: MemberContext;
  readonly #links: LearnerLinks;
  readonly #pipeline: WritePipeline;
  readonly #data = new Reader();
  readonly #request: WriteRequest;
  readonly #ids = new PacketIds();
  readonly #rounds: QuorumRounds;
  /** Syncs of learners, in order, and what they wait for: transactions and a round. */
  readonly #syncs: FirstInFirstOut<WaitingSync> = new FirstInFirstOut();

  constructor(
    context: MemberContext,
    links: LearnerLinks,
    pipeline: WritePipeline,
    rounds: QuorumRounds,
  ) {
    this.#rounds = rounds;
    this.#context = context;
    this.#links = links;
    this.#pipeline = pipeline;
    this.#request = {
      connection: null,
      sessionHi: 0,
      sessionLo: 0,
      authIds: [],
      xid: 0,
      type: OpCode.error,
      receivedMs: 0,
      largeBytes: 0,
      owner: null,
    };
  }

  /** A client was heard of through a learner. */
  touch(sessionHi: number, sessionLo: number, timeoutMs: number): void {
    const { state, clock } = this.#context;
    const session = state.sessions.get(sessionHi, sessionLo);
    if (session === undefined || session.closing || session.isLocal || timeoutMs <= 0) return;
    state.sessions.expiry.touch(session, clock.monotonicMs(), this.#granted(timeoutMs));
  }

  /** A client has come back through a learner: says whether its session lives, and who uses it now. */
  revalidate(link: LearnerLink, sessionHi: number, sessionLo: number, timeoutMs: number): void {
    const { state, clock, intake } = this.#context;
    const session = state.sessions.get(sessionHi, sessionLo);
    const isValid = session !== undefined && !session.closing && !session.isLocal;
    if (isValid) {
      // Whoever used it here has moved on.
      intake.onSessionEnding(sessionHi, sessionLo);
      session.owner = link;
      state.sessions.expiry.touch(session, clock.monotonicMs(), this.#granted(timeoutMs));
    }
    const outbox = this.#links.ordered(link);
    const packet = beginPacket(outbox, PacketType.revalidate, -1);
    outbox.writeLong(sessionHi, sessionLo);
    outbox.writeBoolean(isValid);
    endPacket(outbox, packet, null);
  }

  /**
   * A request of a learner's client becomes a transaction, a failed one if need be: the learner waits for it. Returns
   * why the learner is of no use any more, null when it is.
   */
  take(link: LearnerLink, packet: ReceivedPacket): string | null {
    const { recent, clock } = this.#context;
    const reader = dataReader(packet, this.#data);
    const request = this.#request;
    request.sessionHi = reader.readInt();
    request.sessionLo = reader.readInt();
    request.xid = reader.readInt();
    request.type = reader.readInt() as OpCode;
    request.authIds = this.#ids.read(packet);
    request.owner = link;
    request.receivedMs = clock.monotonicMs();
    if (recent.outstandingBytes > ensembleLimits.outstandingBytesMax) {
      return `it asks for more while ${recent.outstandingBytes} bytes are not committed`;
    }
    const { extendedTypesEnabled } = this.#context.config;
    const refusal = forwardRefusal(request.type, request.sessionHi, extendedTypesEnabled);
    if (refusal !== null) return refusal;
    if (request.type === OpCode.sync) return this.#takeSync(link);
    if (isUnanswerable(request.type)) {
      this.#pipeline.prepare(request, reader, clock.wallMs(), ErrorCode.unimplemented);
      return null;
    }
    if (request.type === OpCode.createSession) this.#track(link, reader);
    this.#pipeline.prepareForeign(request, reader, clock.wallMs());
    return null;
  }

  /** `zxid` is about to be committed: a quorum has taken it, which confirms the syncs that came before it. */
  beforeCommit(zxid: Zxid): void {
    if (this.#syncs.length > 0) this.#answerSyncs(zxid - 1, Number.POSITIVE_INFINITY);
  }

  /** Everything up to `zxid` is committed, or a round is confirmed: the syncs that waited for that are answered. */
  committed(zxid: number): void {
    if (this.#syncs.length > 0) this.#answerSyncs(zxid, this.#rounds.confirmed);
  }

  #takeSync(link: LearnerLink): string | null {
    const { recent } = this.#context;
    if (this.#syncs.length >= ensembleLimits.outstandingSyncsMax) {
      return `it asks for a sync while ${this.#syncs.length} wait`;
    }
    const zxid = recent.outstandingCount === 0 ? 0 : recent.newestZxid;
    const round = this.#isQuorumWith(link) ? 0 : this.#rounds.want();
    if (zxid === 0 && round === 0 && this.#syncs.length === 0) this.#answerSync(link);
    else this.#syncs.push({ link, zxid, round });
    return null;
  }

  /** A follower that passes a sync on follows still: with the leader that may be a quorum already. */
  #isQuorumWith({ sid, type }: LearnerLink): boolean {
    const { ensemble, view } = this.#context;
    const tracker = view.newTracker();
    tracker.addAck(ensemble.myId);
    if (type === 'participant') tracker.addAck(sid);
    return tracker.hasAllQuorums();
  }

  #answerSyncs(zxid: number, round: number): void {
    for (;;) {
      const first = this.#syncs.first;
      if (first === undefined || first.zxid > zxid || first.round > round) return;
      this.#syncs.shift();
      this.#answerSync(first.link);
    }
  }

  #answerSync(link: LearnerLink): void {
    if (link.stage !== LinkStage.serving) return;
    writeBarePacket(this.#links.ordered(link), PacketType.sync, 0);
  }

  /** A learner's client wants a session: it is kept alive from now on. */
  #track(link: LearnerLink, reader: JuteReader): void {
    if (reader.remaining < 4) return;
    const timeoutMs = this.#granted(reader.readInt());
    reader.position -= 4;
    const { sessions } = this.#context.state;
    const { sessionHi, sessionLo } = this.#request;
    const session = sessions.track(sessionHi, sessionLo, timeoutMs);
    session.owner = link;
    sessions.expiry.touch(session, this.#context.clock.monotonicMs(), timeoutMs);
  }

  #granted(timeoutMs: number): number {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#context.config;
    return Math.min(Math.max(timeoutMs, minSessionTimeoutMs), maxSessionTimeoutMs);
  }
}

/** A sync, and what it waits for. */
interface WaitingSync {
  readonly link: LearnerLink;
  readonly zxid: number;
  readonly round: number;
}
