/**
 * A member that follows or observes (`Learner.java`, `Follower.java`, `Observer.java`): it takes over the leader's
 * history (`history-takeover.ts`), and then whatever the leader proposes and commits (`learner-broadcast.ts`).
 *
 * Owns the stream to the leader, and the order that keeps promises: what it has received is durable before it says so; its
 * epoch is written when the whole history of that epoch is durable, and only then NEWLEADER is acknowledged [ZOOKEEPER-3911,
 * 4643, 4646, 4785].
 */
import {
  asZxid,
  epochOf,
  JuteError,
  JuteReader,
  JuteWriter,
  makeZxid,
  type Zxid,
} from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import type { PeerStreamEvents, PeerStreamId, TimerListener } from '../ports.ts';
import { HistoryTakeover, type TakeoverEvents } from './history-takeover.ts';
import { LeaderDial } from './leader-dial.ts';
import { type BroadcastFollower, LearnerBroadcast } from './learner-broadcast.ts';
import { zabVersion } from './learner-link.ts';
import { LearnerMembership } from './learner-membership.ts';
import { LearnerRoute } from './learner-route.ts';
import type { MemberContext, RoleEvents } from './member-context.ts';
import { ObserverMaster } from './observer-master.ts';
import {
  beginPacket,
  dataReader,
  endPacket,
  PacketReader,
  type PacketReceiver,
  PacketType,
  type ReceivedPacket,
  writeBarePacket,
} from './quorum-packet.ts';

/** How far a learner has come. */
type Phase =
  | 'dialling'
  /** LEADERINFO is awaited. */
  | 'registering'
  /** DIFF, TRUNC or SNAP is awaited, or being done. */
  | 'promised'
  /** Proposals come, and at their end NEWLEADER. */
  | 'syncing'
  /** The history goes to disk. */
  | 'persisting'
  /** NEWLEADER is acknowledged; UPTODATE is awaited. */
  | 'synced'
  | 'serving'
  | 'ended';

export class Learner
  implements PeerStreamEvents, PacketReceiver, TimerListener, TakeoverEvents, BroadcastFollower
{
  readonly #context: MemberContext;
  readonly #events: RoleEvents;
  readonly #leader: number;
  readonly #isObserver: boolean;
  readonly #dial: LeaderDial;
  readonly #reader: PacketReader;
  readonly #data = new JuteReader();
  readonly #outbox: JuteWriter = new JuteWriter(64 * 1024);
  readonly #route: LearnerRoute;
  readonly #takeover: HistoryTakeover;
  readonly #membership: LearnerMembership;
  readonly #broadcast: LearnerBroadcast;
  #phase: Phase = 'dialling';
  #stream: PeerStreamId = 0;
  #timer = 0;
  #heardMs = 0;
  #epoch = 0;
  /**
   * @param leader whom it follows: an id of the configuration
   * @param master the follower through which an observer does so; null when it does by itself
   */
  constructor(
    context: MemberContext,
    leader: number,
    isObserver: boolean,
    master: number | null,
    events: RoleEvents,
  ) {
    this.#context = context;
    this.#leader = leader;
    this.#isObserver = isObserver;
    this.#events = events;
    this.#reader = new PacketReader(context.packetLimits, this);
    this.#route = new LearnerRoute(this.#outbox, context);
    this.#takeover = new HistoryTakeover(context, this);
    this.#membership = new LearnerMembership(context, leader, events);
    this.#broadcast = new LearnerBroadcast(
      context,
      this.#outbox,
      this.#route,
      this.#membership,
      this,
    );
    const port = master === null ? null : context.ensemble.observerMasterPort;
    this.#dial = new LeaderDial(context, master ?? leader, port, this);
  }

  /** The epoch that it takes part in; 0 before the leader has said it. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether memory holds a mixture: it has to be read from disk before it means anything. */
  get isMemoryTainted(): boolean {
    return this.#takeover.isMemoryTainted;
  }

  get isSynchronising(): boolean {
    return this.#phase !== 'serving';
  }

  /** Dials the leader. */
  start(): void {
    const { clock, config } = this.#context;
    this.#heardMs = clock.monotonicMs();
    this.#timer = clock.startTimer(config.tickTimeMs / 2, this, 0);
    this.#dial.start();
  }

  /** Follows no more. */
  stop(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    const { clock, peers } = this.#context;
    clock.cancelTimer(this.#timer);
    this.#dial.stop();
    this.#takeover.stop();
    this.#broadcast.observerMaster?.stop();
    if (this.#stream !== 0) peers.destroy(this.#stream);
  }

  /** What was written in this turn leaves. */
  flush(): void {
    this.#broadcast.countCommitted();
    this.#broadcast.observerMaster?.flush();
    if (this.#outbox.length === 0 || this.#stream === 0 || this.#phase === 'ended') return;
    const { peers } = this.#context;
    // The writer is shared with the route, so what the network keeps is copied.
    const bytes = this.#outbox.toBytes();
    this.#outbox.clear();
    peers.send(this.#stream, bytes, 0, bytes.length);
  }

  /** The log is durable up to here: the leader may be told so. */
  onDurable(zxid: Zxid): void {
    if (this.#phase !== 'serving' || this.#isObserver) return;
    this.#broadcast.acknowledge(zxid);
  }

  /** The leader hangs up, or somebody in between. */
  onPeerClosed(stream: PeerStreamId, reason: string): void {
    if (this.#phase === 'ended') return;
    if (stream !== this.#stream) return this.#dial.onClosed(stream, reason);
    this.leave(`the leader, server ${this.#leader}, is gone: ${reason}`);
  }

  onPeerOpened(stream: PeerStreamId): void {
    if (this.#phase === 'ended' || !this.#dial.onOpened(stream)) return;
    this.#stream = stream;
    this.#phase = 'registering';
    this.#heardMs = this.#context.clock.monotonicMs();
    this.#register();
    this.#context.endTurn();
  }

  onPeerBytes(stream: PeerStreamId, bytes: Uint8Array, start: number, end: number): void {
    if (stream !== this.#stream || this.#phase === 'ended') return;
    this.#heardMs = this.#context.clock.monotonicMs();
    this.#context.intake.beginCommit();
    this.#guard(() => this.#reader.push(bytes, start, end));
    if (this.isHeld && !this.isOver) this.#context.peers.setReading(stream, false);
  }

  onPeerDrained(): void {}

  /** The leader could not be reached in time. */
  onUnreachable(reason: string): void {
    this.leave(`the leader, server ${this.#leader}, cannot be reached: ${reason}`);
  }

  /** Looks whether the leader is still heard of. */
  onTimer(): void {
    if (this.#phase === 'ended') return;
    const { clock, config, ensemble } = this.#context;
    this.#timer = clock.startTimer(config.tickTimeMs / 2, this, 0);
    const isSettled = this.#phase === 'synced' || this.#phase === 'serving';
    const ticks = isSettled ? ensemble.syncLimitTicks : ensemble.initLimitTicks;
    if (this.#takeover.isEndless) {
      return this.leave(`the leader, server ${this.#leader}: its snapshot does not end`);
    }
    // While its own disk works, silence is this member's own.
    const isBusy = this.#takeover.isDiskBusy || this.#phase === 'persisting';
    if (isBusy) this.#heardMs = clock.monotonicMs();
    if (
      this.#phase !== 'dialling' &&
      clock.monotonicMs() - this.#heardMs > ticks * config.tickTimeMs
    ) {
      this.leave(`the leader, server ${this.#leader}, was not heard of for ${ticks} ticks`);
    }
  }

  /** See `PacketReceiver`: a snapshot is no packet. */
  get isRaw(): boolean {
    return this.#takeover.isReceiving;
  }

  /** See `PacketReceiver`: nothing is read while the disk has to catch up. */
  get isHeld(): boolean {
    const phase = this.#phase;
    return this.#takeover.isDiskBusy || phase === 'persisting' || phase === 'ended';
  }

  onRaw(bytes: Uint8Array, start: number, end: number): number {
    return this.#takeover.receive(bytes, start, end);
  }

  onPacket(packet: ReceivedPacket): void {
    switch (this.#phase) {
      case 'registering':
        return this.#takeLeaderInfo(packet);
      case 'promised':
        return this.#takeFirst(packet);
      case 'syncing':
      case 'synced':
      case 'serving':
        return this.#takePacket(packet);
      default:
        return this.refuse(packet);
    }
  }

  /** See `BroadcastFollower`. */
  get isOver(): boolean {
    return this.#phase === 'ended';
  }

  /** See `BroadcastFollower`. */
  refuse(packet: ReceivedPacket): void {
    this.leave(
      `the leader sent a packet of type ${packet.type} while this member was ${this.#phase}`,
    );
  }

  /** See `BroadcastFollower`: it looks for a leader again. */
  leave(reason: string): void {
    if (this.#phase === 'ended') return;
    this.stop();
    this.#events.onRoleEnded(reason);
  }

  /** See `TakeoverEvents`. */
  onHistoryTaken(lastZxid: Zxid): void {
    this.#broadcast.begin(lastZxid);
    this.#phase = 'syncing';
  }

  /** See `TakeoverEvents`. */
  onDiskReady(): void {
    this.#goOn();
  }

  /** See `TakeoverEvents`. */
  onTakeoverFailed(reason: string): void {
    this.leave(reason);
  }

  #register(): void {
    const { ensemble, epochs, view } = this.#context;
    const type = this.#isObserver ? PacketType.observerInfo : PacketType.followerInfo;
    const packet = beginPacket(this.#outbox, type, makeZxid(epochs.acceptedEpoch, 0));
    this.#outbox.writeLongFromDouble(ensemble.myId);
    this.#outbox.writeInt(zabVersion);
    this.#outbox.writeLongFromDouble(view.current.config.version);
    endPacket(this.#outbox, packet, null);
  }

  /** The leader says its epoch, which is promised unless a later one was (`Learner.registerWithLeader`). */
  #takeLeaderInfo(packet: ReceivedPacket): void {
    if (packet.type !== PacketType.leaderInfo) return this.refuse(packet);
    const { epochs, state } = this.#context;
    const epoch = epochOf(packet.zxid);
    if (epoch < epochs.acceptedEpoch) {
      return this.leave(`epoch ${epoch} is less than ${epochs.acceptedEpoch}, which was promised`);
    }
    if (epoch >= ensembleLimits.epochMax) {
      return this.leave(`epoch ${epoch} is beyond all that there can be`);
    }
    // To promise the same epoch twice could make two leaders of it.
    const isNew = epoch > epochs.acceptedEpoch;
    if (isNew) epochs.accept(epoch);
    this.#epoch = epoch;
    const lastZxid = asZxid(state.lastProcessedZxid);
    const answer = beginPacket(this.#outbox, PacketType.ackEpoch, lastZxid);
    this.#outbox.writeInt(isNew ? epochs.currentEpoch : -1);
    endPacket(this.#outbox, answer, null);
    this.#phase = 'promised';
  }

  /** DIFF, TRUNC or SNAP. */
  #takeFirst(packet: ReceivedPacket): void {
    const { state } = this.#context;
    const ownZxid = asZxid(state.lastProcessedZxid);
    if (!this.#takeover.begin(packet, ownZxid, this.#epoch)) this.refuse(packet);
  }

  #takePacket(packet: ReceivedPacket): void {
    switch (packet.type) {
      case PacketType.proposal:
        if (this.#phase === 'serving') this.#context.counters.proposalsReceived++;
        return this.#broadcast.propose(packet, packet.dataStart);
      case PacketType.inform:
        if (this.#phase === 'serving') this.#context.counters.commitsReceived++;
        this.#broadcast.propose(packet, packet.dataStart);
        return this.#broadcast.commit(packet.zxid);
      case PacketType.commit:
        if (this.#phase === 'serving') this.#context.counters.commitsReceived++;
        return this.#broadcast.commit(packet.zxid);
      case PacketType.commitAndActivate:
        return this.#broadcast.activate(packet);
      case PacketType.informAndActivate:
        if (packet.dataEnd - packet.dataStart < 8) return this.refuse(packet);
        this.#broadcast.propose(packet, packet.dataStart + 8);
        return this.#broadcast.activate(packet);
      case PacketType.newLeader:
        return this.#persist(packet);
      case PacketType.upToDate:
        return this.#serve();
      case PacketType.ping:
        return this.#route.answerPing(packet.zxid);
      case PacketType.revalidate:
        if (!this.#route.takeVerdict(dataReader(packet, this.#data))) this.refuse(packet);
        return;
      case PacketType.sync:
        if (!this.#route.answerSync()) this.refuse(packet);
        return;
      default:
        return this.refuse(packet);
    }
  }

  /** NEWLEADER: everything before it becomes durable, then the epoch, then the leader is told. */
  #persist(packet: ReceivedPacket): void {
    if (this.#phase !== 'syncing') return this.refuse(packet);
    const { storage } = this.#context;
    if (epochOf(packet.zxid) !== this.#epoch) return this.refuse(packet);
    this.#membership.takeNewLeader(packet);
    this.#phase = 'persisting';
    storage.barrier((error) => {
      if (this.#phase !== 'persisting') return;
      if (error !== null) return this.leave('the history could not be made durable');
      this.#context.attempt(() => this.#context.epochs.enter(this.#epoch));
      if (this.isOver) return;
      writeBarePacket(this.#outbox, PacketType.ack, makeZxid(this.#epoch, 0));
      this.#phase = 'synced';
      this.#goOn();
    });
  }

  /** UPTODATE: a quorum has the history. What was proposed meanwhile is acknowledged from now on. */
  #serve(): void {
    if (this.#phase !== 'synced') return this.leave('the leader said UPTODATE out of turn');
    if (!this.#membership.activateNewLeader()) return this.leave('the members have changed');
    const { state, applier, intake, durableZxid } = this.#context;
    writeBarePacket(this.#outbox, PacketType.ack, makeZxid(this.#epoch, 0));
    this.#phase = 'serving';
    applier.compareDigestsFrom(state.lastProcessedZxid + 1);
    state.outstanding.clear();
    this.#broadcast.beginAcknowledging();
    intake.usePipeline(this.#route);
    intake.isServing = true;
    if (!this.#isObserver) this.#broadcast.acknowledge(durableZxid);
    this.#events.onServing({ epoch: this.#epoch, sync: this.#takeover.kind });
    this.#awaitObservers();
  }

  /** Observers may follow a follower. */
  #awaitObservers(): void {
    if (this.#isObserver || this.#context.ensemble.observerMasterPort === 0) return;
    const master = new ObserverMaster(this.#context, this.#epoch, this.#route);
    this.#broadcast.observerMaster = master;
    this.#route.observerMaster = master;
    master.start();
  }

  /** Reads on what was held back, and ends the turn. */
  #goOn(): void {
    this.#guard(() => this.#reader.resume());
    if (!this.isHeld) this.#context.peers.setReading(this.#stream, true);
    this.#context.endTurn();
  }

  #guard(action: () => void): void {
    try {
      this.#context.attempt(action);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.leave(`the leader, server ${this.#leader}, sent what is no packet: ${error.message}`);
    }
  }
}
