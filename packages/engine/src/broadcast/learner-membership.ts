/**
 * How members change under a learner (`Learner.syncWithLeader`, `QuorumPeer.processReconfig`): what is proposed counts in
 * elections from then on, what is committed is in force. Owns the configuration that NEWLEADER has brought, and says whether
 * the leader and this member's own role are still what they were.
 */
import { asZxid, decodeUtf8, epochOf } from '@meerkat/protocol';
import type { LearnerType } from '../quorum/member.ts';
import type { QuorumConfig } from '../quorum/quorum-config.ts';
import type { MemberContext, RoleEvents } from './member-context.ts';
import { type MembershipChange, readConfigText } from './membership.ts';
import type { ReceivedPacket } from './quorum-packet.ts';

export class LearnerMembership {
  readonly #context: MemberContext;
  readonly #leader: number;
  readonly #events: RoleEvents;
  /** The configuration that NEWLEADER brought; in force with UPTODATE. */
  #newConfig: QuorumConfig | null = null;
  /** The leader's. */
  #epoch = 0;

  constructor(context: MemberContext, leader: number, events: RoleEvents) {
    this.#context = context;
    this.#leader = leader;
    this.#events = events;
  }

  /** A reconfiguration is proposed. Returns false when that is no configuration. */
  propose(text: string): boolean {
    const config = readConfigText(text);
    if (config !== null) this.#context.membership.propose(config);
    return config !== null;
  }

  /** A reconfiguration is committed. Returns whether leader and role are what they were. */
  activate(text: string, leader: number): boolean {
    const { membership, view, ensemble } = this.#context;
    const config = readConfigText(text);
    const typeBefore = view.member(ensemble.myId)?.type ?? 'participant';
    const change = config === null ? null : membership.activate(config);
    if (change !== null) this.#events.onMembersChanged(change);
    return leader === this.#leader && this.#ownType === typeBefore;
  }

  /** NEWLEADER says what the leader's configuration is. */
  takeNewLeader({ bytes, dataStart, dataEnd, zxid }: ReceivedPacket): void {
    const text = dataStart === -1 ? '' : decodeUtf8(bytes, dataStart, dataEnd);
    this.#newConfig = readConfigText(text);
    this.#epoch = epochOf(zxid);
    if (this.#newConfig !== null) this.#context.membership.propose(this.#newConfig);
  }

  /** UPTODATE puts that in force. Returns whether leader and role are what they were. */
  activateNewLeader(): boolean {
    const typeBefore = this.#ownType;
    this.#discardDead();
    const change =
      this.#newConfig === null ? null : this.#context.membership.activate(this.#newConfig);
    if (change === null) return true;
    this.#events.onMembersChanged(change);
    if (this.#ownType !== typeBefore) return false;
    return !change.isDifferent || this.#hasSameLeader(change);
  }

  /**
   * A leader of a later epoch has a quorum, and its configuration is older than the one that was proposed here: whatever
   * was committed it knows, so that one is dead. Java waits for a quorum of it with each election.
   */
  #discardDead(): void {
    const { membership } = this.#context;
    const { version } = membership.lastSeen;
    if (!membership.isChanging || this.#newConfig === null) return;
    if (version <= this.#newConfig.version || epochOf(asZxid(version)) >= this.#epoch) return;
    membership.discardProposed();
  }

  get #ownType(): LearnerType {
    return this.#context.membership.self?.type ?? 'participant';
  }

  /** Whether the leader is to be found where it was. */
  #hasSameLeader({ before, now }: MembershipChange): boolean {
    const texts = [before, now].map((config) => JSON.stringify(config.members.get(this.#leader)));
    return texts[0] === texts[1];
  }
}
