/**
 * The observers that follow a follower (`ObserverMaster.java`): it brings them to its own history, tells them what is
 * committed, and passes what their clients ask on to the leader, as if they were its own.
 *
 * Owns the port `observerMasterPort` and the links to them. Refuses whoever votes; what it passes on, and to whom an
 * answer goes, is the route's.
 */
import {
  asZxid,
  counterOf,
  formatZxid,
  JuteWriter,
  makeZxid,
  utf8,
  type Zxid,
} from '@meerkat/protocol';
import type { PeerStreamId, TimerListener } from '../ports.ts';
import { formatQuorumConfig } from '../quorum/quorum-config.ts';
import { helloRefusal } from './hello-refusal.ts';
import { LearnerAcceptor, type LearnerHost } from './learner-acceptor.ts';
import { LearnerDeadlines } from './learner-deadlines.ts';
import { type LearnerLink, LinkStage } from './learner-link.ts';
import { LearnerLinks } from './learner-links.ts';
import type { LearnerRoute, ObserverAnswers } from './learner-route.ts';
import { LearnerSync } from './learner-sync.ts';
import type { MemberContext } from './member-context.ts';
import {
  beginPacket,
  endPacket,
  PacketType,
  type ReceivedPacket,
  writeBarePacket,
} from './quorum-packet.ts';

export class ObserverMaster implements LearnerHost, TimerListener, ObserverAnswers {
  readonly #context: MemberContext;
  readonly #epoch: number;
  readonly #route: LearnerRoute;
  /** INFORMs of this turn, for all of them. */
  readonly #toObservers = new JuteWriter(16 * 1024);
  readonly #links: LearnerLinks;
  readonly #sync: LearnerSync;
  readonly #acceptor: LearnerAcceptor;
  readonly #deadlines: LearnerDeadlines;
  /** Those that come from a follower that was further, and the tick until which they are waited for. */
  readonly #ahead = new Map<LearnerLink, number>();
  #timer = 0;
  #isOver = false;

  /** @param epoch the epoch of the leader */
  constructor(context: MemberContext, epoch: number, route: LearnerRoute) {
    this.#context = context;
    this.#epoch = epoch;
    this.#route = route;
    const { observerMasterBytesMax, initLimitTicks, syncLimitTicks } = context.ensemble;
    const nobody = new JuteWriter(1);
    this.#links = new LearnerLinks(context, nobody, this.#toObservers, observerMasterBytesMax);
    this.#acceptor = new LearnerAcceptor(context, this.#links, this);
    // Whoever is ahead is waited for besides.
    this.#deadlines = new LearnerDeadlines(context.ensemble, initLimitTicks + syncLimitTicks);
    this.#sync = new LearnerSync(context);
  }

  /** What NEWLEADER carries, and its ACK. */
  get epochZxid(): Zxid {
    return makeZxid(this.#epoch, 0);
  }

  /** The newest transaction that an observer can have been told of. */
  get newestZxid(): Zxid {
    return asZxid(Math.max(this.#context.recent.newestZxid, this.epochZxid));
  }

  /** Those who follow. */
  get links(): readonly LearnerLink[] {
    return this.#links.all();
  }

  /** Awaits observers. */
  start(): void {
    const { clock, config, ensemble } = this.#context;
    this.#acceptor.start(ensemble.observerMasterPort);
    this.#timer = clock.startTimer(config.tickTimeMs / 2, this, 0);
  }

  /** The follower follows no more: nor do they. */
  /** A follower that was no member had no address at which to await observers. */
  onMembersChanged(): void {
    if (!this.#acceptor.isListening)
      this.#acceptor.start(this.#context.ensemble.observerMasterPort);
  }

  stop(): void {
    this.#isOver = true;
    this.#context.clock.cancelTimer(this.#timer);
    this.#acceptor.stop();
    for (const link of this.#links.all()) link.close();
  }

  /** What was written in this turn leaves. */
  flush(): void {
    if (this.#isOver) return;
    for (const link of this.#links.flush()) this.onBroken(link, 'it does not keep up');
  }

  /**
   * A transaction, `block[start, end)`, is committed and applied here.
   *
   * @param leader who leads from it on, when it is a reconfiguration; else null
   */
  committed(
    block: Uint8Array,
    start: number,
    end: number,
    zxid: Zxid,
    leader: number | null,
  ): void {
    if (this.#links.hasObservers) {
      const type = leader === null ? PacketType.inform : PacketType.informAndActivate;
      const packet = beginPacket(this.#toObservers, type, zxid);
      if (leader !== null) this.#toObservers.writeLongFromDouble(leader);
      this.#toObservers.writeBytes(block, start, end);
      endPacket(this.#toObservers, packet, null);
    }
    for (const link of this.#ahead.keys()) {
      if (link.peerLastZxid <= zxid) this.#synchronise(link);
    }
  }

  /** The leader has answered a sync of one of them. */
  answerSync(link: LearnerLink): void {
    if (link.stage !== LinkStage.serving) return;
    writeBarePacket(this.#links.ordered(link), PacketType.sync, 0);
  }

  /** The leader has said whether a session lives that came back through one of them. */
  answerRevalidation(
    link: LearnerLink,
    sessionHi: number,
    sessionLo: number,
    isValid: boolean,
  ): void {
    if (link.stage !== LinkStage.serving) return;
    const outbox = this.#links.ordered(link);
    const packet = beginPacket(outbox, PacketType.revalidate, -1);
    outbox.writeLong(sessionHi, sessionLo);
    outbox.writeBoolean(isValid);
    endPacket(outbox, packet, null);
  }

  /** See `LearnerHost`. */
  onConnected(link: LearnerLink): void {
    this.#deadlines.extend(link);
  }

  /** See `LearnerHost`: without it they follow others, and this member is none the worse. */
  onUnableToAwait(reason: string): void {
    this.#context.notice('observers not awaited', null, reason);
  }

  onPeerOpened(): void {}

  onPeerBytes(stream: PeerStreamId, bytes: Uint8Array, start: number, end: number): void {
    const link = this.#links.get(stream);
    if (link === undefined || this.#isOver) return;
    link.heardMs = this.#context.clock.monotonicMs();
    if (link.stage >= LinkStage.synced) this.#deadlines.extend(link);
    this.#context.intake.beginCommit();
    this.#context.attempt(() => link.received(bytes, start, end));
  }

  onPeerDrained(stream: PeerStreamId): void {
    const link = this.#links.get(stream);
    if (link === undefined || this.#isOver) return;
    // However long all of it takes: it has taken what it was sent.
    if (link.isStreaming) this.#deadlines.extend(link);
    link.drained();
  }

  onPeerClosed(stream: PeerStreamId, reason: string): void {
    const link = this.#links.get(stream);
    if (link !== undefined && !this.#isOver) this.onBroken(link, reason);
  }

  onHello(link: LearnerLink): string | null {
    if (link.type !== 'observer') return 'it is no observer, and the leader is elsewhere';
    const older = this.#links.bySid(link);
    const refusal = helloRefusal(this.#context, link, older, false);
    if (refusal !== null) return refusal;
    if (older !== null) this.onBroken(older, 'the same server has connected anew');
    link.sendEpoch(this.#epoch);
    return null;
  }

  /** One that has more than this follower was told by another one, which is a little further. */
  onEpochPromised(link: LearnerLink): void {
    const { ensemble, state } = this.#context;
    const isAhead = link.peerLastZxid > state.lastProcessedZxid;
    // The beginning of an epoch is no transaction that could be missing here.
    if (!isAhead || counterOf(link.peerLastZxid) === 0) this.#synchronise(link);
    else this.#ahead.set(link, this.#deadlines.tick + ensemble.syncLimitTicks);
  }

  onSynced(link: LearnerLink): void {
    this.#sync.ended(link);
    this.#deadlines.extend(link);
    link.stage = LinkStage.serving;
    writeBarePacket(this.#links.ordered(link), PacketType.upToDate, -1);
    this.#context.notice('synced', link.sid, `observer ${link.sid} follows this follower`);
  }

  /** Observers decide nothing. */
  onAck(): void {}

  onTouch(_link: LearnerLink, sessionHi: number, sessionLo: number): void {
    this.#context.intake.heard.note(sessionHi, sessionLo);
  }

  /** What the leader would turn away costs the observer its link, not this follower its own. */
  onRequest(link: LearnerLink, packet: ReceivedPacket): void {
    const refusal = this.#route.forward(link, packet);
    if (refusal !== null) this.onBroken(link, refusal);
  }

  onRevalidate(link: LearnerLink, sessionHi: number, sessionLo: number, timeoutMs: number): void {
    this.#context.counters.revalidations++;
    const refusal = this.#route.askFor(link, sessionHi, sessionLo, timeoutMs);
    if (refusal !== null) this.onBroken(link, refusal);
  }

  onStreamFailed(link: LearnerLink, reason: string): void {
    this.#sync.failed(link);
    this.onBroken(link, reason);
  }

  onBroken(link: LearnerLink, reason: string): void {
    if (link.stage === LinkStage.closed) return;
    this.#links.remove(link);
    this.#sync.ended(link);
    this.#ahead.delete(link);
    link.close();
    const who = link.sid >= 0 ? `observer ${link.sid}` : 'an observer';
    this.#context.notice('learner lost', link.sid, `${who} is let go: ${reason}`);
  }

  /** Twice a tick: pings, and a look at who is still there. */
  onTimer(): void {
    if (this.#isOver) return;
    const { clock, config, state } = this.#context;
    this.#timer = clock.startTimer(config.tickTimeMs / 2, this, 0);
    this.#deadlines.passHalf();
    for (const [link, untilTick] of this.#ahead) {
      // What it has and nobody commits is cut.
      if (this.#deadlines.tick > untilTick) this.#synchronise(link);
    }
    for (const link of this.#links.all()) {
      const overdue = this.#deadlines.overdueText(link, this.newestZxid);
      if (overdue !== null) this.onBroken(link, overdue);
      else if (link.stage === LinkStage.serving) {
        writeBarePacket(this.#links.ordered(link), PacketType.ping, state.lastProcessedZxid);
      }
    }
    this.#context.endTurn();
  }

  #synchronise(link: LearnerLink): void {
    this.#ahead.delete(link);
    const kind = this.#sync.begin(link);
    if (kind === null) return this.onBroken(link, 'too many observers are being synchronised');
    const packet = beginPacket(link.outbox, PacketType.newLeader, makeZxid(this.#epoch, 0));
    const text = utf8(formatQuorumConfig(this.#context.membership.current));
    link.outbox.writeBytes(text, 0, text.length);
    endPacket(link.outbox, packet, null);
    link.stage = LinkStage.syncing;
    this.#deadlines.extend(link);
    this.#links.beginForwarding(link);
    const theirs = formatZxid(link.peerLastZxid);
    this.#context.notice('syncing', link.sid, `observer ${link.sid} at ${theirs} gets a ${kind}`);
  }
}
