/**
 * A member that follows or observes (`Learner.java`, `Follower.java`, `Observer.java`): it takes over the leader's
 * history, and then whatever the leader proposes and commits.
 *
 * Owns the order that keeps promises: what it has received is durable before it says so; its epoch is written when the
 * whole history of that epoch is durable, and only then NEWLEADER is acknowledged [ZOOKEEPER-3911, 4643, 4646, 4785].
 * Refuses to go on behind a hole, or to commit what is not the oldest proposal.
 */
import {
  assert,
  asZxid,
  counterOf,
  decodeUtf8,
  epochOf,
  formatZxid,
  JuteError,
  JuteReader,
  JuteWriter,
  makeZxid,
  OpCode,
  type Zxid,
} from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import type { PeerStreamEvents, PeerStreamId, TimerListener } from '../ports.ts';
import type { QuorumConfig } from '../quorum/quorum-config.ts';
import { LeaderDial } from './leader-dial.ts';
import { zabVersion } from './learner-link.ts';
import { LearnerRoute } from './learner-route.ts';
import type { MemberContext, RoleEvents } from './member-context.ts';
import { type MembershipChange, readConfigText } from './membership.ts';
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
import { SnapshotReceiver } from './snapshot-stream.ts';
import { configTextIn, transactionBytesMin, typeIn, zxidIn } from './transaction-bytes.ts';
import { TransactionShape } from './transaction-shape.ts';

/** How far a learner has come. */
type Phase =
  | 'dialling'
  /** LEADERINFO is awaited. */
  | 'registering'
  /** DIFF, TRUNC or SNAP is awaited. */
  | 'promised'
  /** The log is being let go of, for a cut or a snapshot. */
  | 'clearing'
  | 'receiving'
  /** What was received as a snapshot goes to disk. */
  | 'adopting'
  /** Proposals come, and at their end NEWLEADER. */
  | 'syncing'
  /** The history goes to disk. */
  | 'persisting'
  /** NEWLEADER is acknowledged; UPTODATE is awaited. */
  | 'synced'
  | 'serving'
  | 'ended';

export class Learner implements PeerStreamEvents, PacketReceiver, TimerListener {
  readonly #context: MemberContext;
  readonly #events: RoleEvents;
  readonly #leader: number;
  readonly #isObserver: boolean;
  readonly #dial: LeaderDial;
  readonly #reader: PacketReader;
  readonly #data = new JuteReader();
  readonly #shape = new TransactionShape();
  readonly #outbox: JuteWriter = new JuteWriter(64 * 1024);
  readonly #route: LearnerRoute;
  /** The observers that follow this member. */
  #observerMaster: ObserverMaster | null = null;
  #phase: Phase = 'dialling';
  #stream: PeerStreamId = 0;
  #timer = 0;
  #heardMs = 0;
  #epoch = 0;
  #sync: 'none' | 'DIFF' | 'TRUNC' | 'SNAP' = 'none';
  #snapshot: SnapshotReceiver | null = null;
  #snapshotSinceMs = 0;
  /** Whether memory no longer holds what the disk holds: it has to be read again. */
  #isMemoryTainted = false;
  /** The last transaction that this member has, proposed ones included. */
  #lastZxid: Zxid = 0 as Zxid;
  /** Proposals are acknowledged from this one on. */
  #ackFrom: Zxid = 0 as Zxid;
  /** The configuration that NEWLEADER brought; in force with UPTODATE. */
  #newConfig: QuorumConfig | null = null;
  /** Committed transactions since the last turn, for the snapshots. */
  #committedCount = 0;
  #committedBytes = 0;

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
    const port = master === null ? null : context.ensemble.observerMasterPort;
    this.#dial = new LeaderDial(context, master ?? leader, port, this);
  }

  /** The epoch that it takes part in; 0 before the leader has said it. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether memory holds a mixture: it has to be read from disk before it means anything. */
  get isMemoryTainted(): boolean {
    return this.#isMemoryTainted;
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
    this.#observerMaster?.stop();
    if (this.#stream !== 0) peers.destroy(this.#stream);
  }

  /** What was written in this turn leaves. */
  flush(): void {
    this.#countCommitted();
    this.#observerMaster?.flush();
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
    this.#acknowledge(zxid);
  }

  /** The leader hangs up, or somebody in between. */
  onPeerClosed(stream: PeerStreamId, reason: string): void {
    if (this.#phase === 'ended') return;
    if (stream !== this.#stream) return this.#dial.onClosed(stream, reason);
    this.#end(`the leader, server ${this.#leader}, is gone: ${reason}`);
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
    if (this.isHeld && !this.#isOver) this.#context.peers.setReading(stream, false);
  }

  onPeerDrained(): void {}

  /** The leader could not be reached in time. */
  onUnreachable(reason: string): void {
    this.#end(`the leader, server ${this.#leader}, cannot be reached: ${reason}`);
  }

  /** Looks whether the leader is still heard of. */
  onTimer(): void {
    if (this.#phase === 'ended') return;
    const { clock, config, ensemble } = this.#context;
    this.#timer = clock.startTimer(config.tickTimeMs / 2, this, 0);
    const isSettled = this.#phase === 'synced' || this.#phase === 'serving';
    const ticks = isSettled ? ensemble.syncLimitTicks : ensemble.initLimitTicks;
    const receivingMs = clock.monotonicMs() - this.#snapshotSinceMs;
    if (this.#phase === 'receiving' && this.#snapshot?.isBeyondBounds(receivingMs) === true) {
      return this.#end(`the leader, server ${this.#leader}: its snapshot does not end`);
    }
    // While its own disk works, silence is this member's own.
    const isBusy = this.#phase === 'adopting' || this.#phase === 'clearing';
    if (isBusy || this.#phase === 'persisting') this.#heardMs = clock.monotonicMs();
    if (
      this.#phase !== 'dialling' &&
      clock.monotonicMs() - this.#heardMs > ticks * config.tickTimeMs
    ) {
      this.#end(`the leader, server ${this.#leader}, was not heard of for ${ticks} ticks`);
    }
  }

  /** See `PacketReceiver`: a snapshot is no packet. */
  get isRaw(): boolean {
    return this.#phase === 'receiving';
  }

  /** See `PacketReceiver`: nothing is read while the disk has to catch up. */
  get isHeld(): boolean {
    const phase = this.#phase;
    return (
      phase === 'clearing' || phase === 'adopting' || phase === 'persisting' || phase === 'ended'
    );
  }

  onRaw(bytes: Uint8Array, start: number, end: number): number {
    const snapshot = this.#snapshot;
    assert(snapshot !== null, 'a snapshot is being received');
    const taken = snapshot.push(bytes, start, end);
    if (snapshot.isDone) this.#adopt();
    return taken;
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
        return this.#refuse(packet);
    }
  }

  get #isOver(): boolean {
    return this.#phase === 'ended';
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
    if (packet.type !== PacketType.leaderInfo) return this.#refuse(packet);
    const { epochs, state } = this.#context;
    const epoch = epochOf(packet.zxid);
    if (epoch < epochs.acceptedEpoch) {
      return this.#end(`epoch ${epoch} is less than ${epochs.acceptedEpoch}, which was promised`);
    }
    if (epoch >= ensembleLimits.epochMax) {
      return this.#end(`epoch ${epoch} is beyond all that there can be`);
    }
    // To promise the same epoch twice could make two leaders of it.
    const isNew = epoch > epochs.acceptedEpoch;
    if (isNew) epochs.accept(epoch);
    this.#epoch = epoch;
    this.#lastZxid = asZxid(state.lastProcessedZxid);
    const answer = beginPacket(this.#outbox, PacketType.ackEpoch, this.#lastZxid);
    this.#outbox.writeInt(isNew ? epochs.currentEpoch : -1);
    endPacket(this.#outbox, answer, null);
    this.#phase = 'promised';
  }

  #takeFirst(packet: ReceivedPacket): void {
    const { storage } = this.#context;
    const { zxid, type } = packet;
    this.#heardMs = this.#context.clock.monotonicMs();
    if (type === PacketType.diff) {
      this.#sync = 'DIFF';
      if (storage.isDistrusted) {
        return this.#end('the leader adds to a history that this member does not trust');
      }
      if (this.#lastZxid < 0) {
        // A log alone would not be recovered; nothing is what this member's history begins with.
        storage.beginDatabase();
        this.#context.onHistoryReplaced();
        this.#lastZxid = asZxid(0);
      }
      this.#phase = 'syncing';
    } else if (type === PacketType.trunc) {
      if (zxid < 0 || zxid >= this.#lastZxid) {
        return this.#end(`the leader says TRUNC to ${zxid}, which is not behind this member`);
      }
      this.#sync = 'TRUNC';
      this.#phase = 'clearing';
      storage.close((error) => {
        if (this.#phase !== 'clearing') return;
        if (error !== null) return this.#end('the log could not be closed');
        this.#context.attempt(() => this.#truncate(zxid));
      });
    } else if (type === PacketType.snap) {
      if (zxid < 0) return this.#end(`the leader says SNAP at ${zxid}`);
      this.#sync = 'SNAP';
      this.#phase = 'clearing';
      storage.close((error) => {
        if (this.#phase !== 'clearing') return;
        if (error !== null) return this.#end('the log could not be closed');
        this.#receive(zxid);
      });
    } else this.#refuse(packet);
  }

  #truncate(zxid: Zxid): void {
    const { state, storage } = this.#context;
    this.#isMemoryTainted = true;
    this.#context.truncate(zxid);
    this.#isMemoryTainted = false;
    if (storage.isDistrusted) return this.#end('its log cannot be cut where the leader says');
    assert(state.lastProcessedZxid <= zxid, 'a log that was cut ends there', zxid);
    this.#lastZxid = asZxid(state.lastProcessedZxid);
    this.#phase = 'syncing';
    this.#goOn();
  }

  #receive(zxid: Zxid): void {
    const { database, config } = this.#context;
    const itemBytesMax = config.limits.frameBytesMax + config.limits.extraBytesMax;
    this.#isMemoryTainted = true;
    this.#snapshot = new SnapshotReceiver(database, zxid, itemBytesMax);
    this.#lastZxid = zxid;
    this.#snapshotSinceMs = this.#context.clock.monotonicMs();
    this.#phase = 'receiving';
    this.#goOn();
  }

  /** The snapshot is whole: it takes the place of all that was before, on disk too. */
  #adopt(): void {
    const { storage, recent, state } = this.#context;
    this.#snapshot = null;
    this.#phase = 'adopting';
    recent.clear();
    assert(state.lastProcessedZxid === this.#lastZxid, 'a snapshot ends where the leader says');
    storage.adopt((error) => {
      if (error === null) {
        this.#isMemoryTainted = false;
        this.#context.onHistoryReplaced();
      }
      if (this.#phase !== 'adopting') return;
      if (error !== null) return this.#end(`the snapshot could not be written: ${error.message}`);
      this.#phase = 'syncing';
      this.#goOn();
    });
  }

  #takePacket(packet: ReceivedPacket): void {
    switch (packet.type) {
      case PacketType.proposal:
        return this.#takeProposal(packet, packet.dataStart);
      case PacketType.inform:
        this.#takeProposal(packet, packet.dataStart);
        return this.#commit(packet.zxid);
      case PacketType.commit:
        return this.#commit(packet.zxid);
      case PacketType.commitAndActivate:
        return this.#activate(packet);
      case PacketType.informAndActivate:
        if (packet.dataEnd - packet.dataStart < 8) return this.#refuse(packet);
        this.#takeProposal(packet, packet.dataStart + 8);
        return this.#activate(packet);
      case PacketType.newLeader:
        return this.#persist(packet);
      case PacketType.upToDate:
        return this.#serve();
      case PacketType.ping:
        return this.#route.answerPing(packet.zxid);
      case PacketType.revalidate:
        if (!this.#route.takeVerdict(dataReader(packet, this.#data))) this.#refuse(packet);
        return;
      case PacketType.sync:
        if (!this.#route.answerSync()) this.#refuse(packet);
        return;
      default:
        return this.#refuse(packet);
    }
  }

  /** A proposal goes into the log; what must not be missing before it is not missing. */
  #takeProposal(packet: ReceivedPacket, start: number): void {
    const { storage, recent } = this.#context;
    const { bytes, dataEnd, zxid } = packet;
    const log = storage.log;
    assert(log !== null, 'a learner that is sent proposals has a log');
    if (dataEnd - start < transactionBytesMin || start < 0) return this.#refuse(packet);
    if (zxidIn(bytes, start) !== zxid) return this.#refuse(packet);
    if (!mayFollow(this.#lastZxid, zxid)) {
      const text = `after ${formatZxid(this.#lastZxid)} comes ${formatZxid(zxid)}`;
      return this.#end(`the leader leaves out transactions: ${text}`);
    }
    this.#shape.check(bytes, start, dataEnd);
    if (recent.outstandingBytes > ensembleLimits.outstandingBytesMax) {
      return this.#end('the leader proposes, and does not commit');
    }
    const record = log.beginRecord();
    log.writer.writeBytes(bytes, start, dataEnd);
    log.endRecord(record, zxid);
    if (!recent.mayFollow(zxid)) recent.clear();
    recent.add(bytes, start, dataEnd, zxid);
    this.#lastZxid = zxid;
    if (typeIn(bytes, start) === OpCode.reconfig) this.#propose(bytes, start, dataEnd);
  }

  /** A reconfiguration is proposed: from now on the new configuration counts in elections too. */
  #propose(bytes: Uint8Array, start: number, end: number): void {
    const config = readConfigText(configTextIn(bytes, start, end));
    if (config === null) return this.#end('the leader proposes what is no configuration');
    this.#context.membership.propose(config);
  }

  /** A reconfiguration is committed. Whoever has another leader or another role by it begins anew. */
  #activate(packet: ReceivedPacket): void {
    const { recent, membership, view, ensemble } = this.#context;
    const { zxid } = packet;
    const reader = dataReader(packet, this.#data);
    if (reader.remaining < 8) return this.#refuse(packet);
    const leader = reader.readLongAsDouble();
    const number = recent.committedEnd;
    if (number === recent.end || recent.zxidOf(number) !== zxid) return this.#commit(zxid);
    const block = recent.blockOf(number);
    const text = configTextIn(block, recent.bodyStart(number), recent.bodyEnd(number));
    const config = readConfigText(text);
    const typeBefore = view.member(ensemble.myId)?.type ?? 'participant';
    const change = config === null ? null : membership.activate(config);
    if (change !== null) this.#events.onMembersChanged(change);
    this.#commit(zxid, leader);
    const typeNow = membership.self?.type ?? 'participant';
    if (leader !== this.#leader || typeNow !== typeBefore) this.#end('the members have changed');
  }

  /** What the leader has committed is applied; it must be the oldest that is not. */
  #commit(zxid: Zxid, leaderFromNow: number | null = null): void {
    const { recent } = this.#context;
    if (this.#phase === 'ended') return;
    const number = recent.committedEnd;
    if (number === recent.end || recent.zxidOf(number) !== zxid) {
      const oldest = number === recent.end ? 'nothing' : formatZxid(recent.zxidOf(number));
      return this.#end(`the leader commits ${formatZxid(zxid)} while ${oldest} is proposed first`);
    }
    const block = recent.blockOf(number);
    const start = recent.bodyStart(number);
    const end = recent.bodyEnd(number);
    recent.commitNext();
    this.#route.commitOne(block, start, end);
    this.#observerMaster?.committed(block, start, end, zxid, leaderFromNow);
    this.#committedCount++;
    this.#committedBytes += end - start;
  }

  /** NEWLEADER: everything before it becomes durable, then the epoch, then the leader is told. */
  #persist(packet: ReceivedPacket): void {
    if (this.#phase !== 'syncing') return this.#refuse(packet);
    const { storage } = this.#context;
    if (epochOf(packet.zxid) !== this.#epoch) return this.#refuse(packet);
    const text =
      packet.dataStart === -1 ? '' : decodeUtf8(packet.bytes, packet.dataStart, packet.dataEnd);
    this.#newConfig = readConfigText(text);
    if (this.#newConfig !== null) this.#context.membership.propose(this.#newConfig);
    this.#phase = 'persisting';
    storage.barrier((error) => {
      if (this.#phase !== 'persisting') return;
      if (error !== null) return this.#end('the history could not be made durable');
      this.#context.attempt(() => this.#context.epochs.enter(this.#epoch));
      if (this.#isOver) return;
      writeBarePacket(this.#outbox, PacketType.ack, makeZxid(this.#epoch, 0));
      this.#phase = 'synced';
      this.#goOn();
    });
  }

  /** UPTODATE: a quorum has the history. What was proposed meanwhile is acknowledged from now on. */
  #serve(): void {
    if (this.#phase !== 'synced') return this.#end('the leader said UPTODATE out of turn');
    if (!this.#takeConfig()) return;
    const { state, applier, intake, recent } = this.#context;
    writeBarePacket(this.#outbox, PacketType.ack, makeZxid(this.#epoch, 0));
    this.#phase = 'serving';
    applier.compareDigestsFrom(state.lastProcessedZxid + 1);
    state.outstanding.clear();
    const oldest = recent.committedEnd;
    this.#ackFrom = oldest === recent.end ? asZxid(this.#lastZxid + 1) : recent.zxidOf(oldest);
    intake.usePipeline(this.#route);
    intake.isServing = true;
    if (!this.#isObserver) this.#acknowledge(this.#context.durableZxid);
    this.#events.onServing({ epoch: this.#epoch, sync: this.#sync });
    this.#awaitObservers();
  }

  /** Observers may follow a follower. */
  #awaitObservers(): void {
    if (this.#isObserver || this.#context.ensemble.observerMasterPort === 0) return;
    this.#observerMaster = new ObserverMaster(this.#context, this.#epoch, this.#route);
    this.#route.observerMaster = this.#observerMaster;
    this.#observerMaster.start();
  }

  /** The configuration of the leader is in force. False: it gives this member another leader or role. */
  #takeConfig(): boolean {
    const { membership } = this.#context;
    const typeBefore = membership.self?.type ?? 'participant';
    const change = this.#newConfig === null ? null : membership.activate(this.#newConfig);
    if (change === null) return true;
    this.#events.onMembersChanged(change);
    const typeNow = membership.self?.type ?? 'participant';
    const addresses = ({ before, now }: MembershipChange): boolean => {
      const texts = [before, now].map((config) => JSON.stringify(config.members.get(this.#leader)));
      return texts[0] === texts[1];
    };
    if (typeNow === typeBefore && (!change.isDifferent || addresses(change))) return true;
    this.#end('the members have changed');
    return false;
  }

  /** One ACK for each proposal that is durable: a Java leader counts them one by one. */
  #acknowledge(durable: Zxid): void {
    const { recent } = this.#context;
    for (let number = recent.numberFrom(this.#ackFrom); number < recent.end; number++) {
      const zxid = recent.zxidOf(number);
      if (zxid > durable) break;
      writeBarePacket(this.#outbox, PacketType.ack, zxid);
      this.#ackFrom = asZxid(zxid + 1);
    }
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
      this.#end(`the leader, server ${this.#leader}, sent what is no packet: ${error.message}`);
    }
  }

  #countCommitted(): void {
    if (this.#committedCount === 0) return;
    const count = this.#committedCount;
    this.#committedCount = 0;
    this.#context.storage.committed(count, this.#committedBytes);
    this.#committedBytes = 0;
  }

  #refuse(packet: ReceivedPacket): void {
    this.#end(
      `the leader sent a packet of type ${packet.type} while this member was ${this.#phase}`,
    );
  }

  #end(reason: string): void {
    if (this.#phase === 'ended') return;
    this.stop();
    this.#events.onRoleEnded(reason);
  }
}

/** Whether nothing can be missing: the next transaction, or the first of a later epoch. */
function mayFollow(last: Zxid, next: Zxid): boolean {
  return next === last + 1 || (epochOf(next) > epochOf(last) && counterOf(next) === 1);
}
