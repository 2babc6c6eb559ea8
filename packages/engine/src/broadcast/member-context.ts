import type { Zxid } from '@meerkat/protocol';
import type { Database } from '../database.ts';
import type { EnsembleConfig } from '../ensemble-config.ts';
import type { LeaderDuties } from '../leader-duties.ts';
import type { Clock, Disk, PeerNetwork } from '../ports.ts';
import type { QuorumView } from '../quorum/quorum-view.ts';
import type { ReplicaConfig } from '../replica-config.ts';
import type { ReplicaStorage } from '../replica-storage.ts';
import type { ClientIntake } from '../requests/client-intake.ts';
import type { ReplicaState } from '../requests/replica-state.ts';
import type { TransactionApplier } from '../requests/transaction-applier.ts';
import type { EpochStore } from './epoch-store.ts';
import type { MemberCounters } from './member-counters.ts';
import type { Membership, MembershipChange } from './membership.ts';
import type { PacketLimits } from './quorum-packet.ts';
import type { RecentTransactions } from './recent-transactions.ts';

/** What leader and learner of a member share: its state and what it may ask of the world. */
export interface MemberContext {
  readonly config: ReplicaConfig;
  readonly ensemble: EnsembleConfig;
  readonly clock: Clock;
  readonly peers: PeerNetwork;
  readonly disk: Disk;
  readonly state: ReplicaState;
  readonly intake: ClientIntake;
  readonly applier: TransactionApplier;
  readonly database: Database;
  readonly storage: ReplicaStorage;
  readonly duties: LeaderDuties;
  readonly epochs: EpochStore;
  readonly recent: RecentTransactions;
  readonly packetLimits: PacketLimits;
  readonly counters: MemberCounters;
  readonly membership: Membership;
  /** Who counts; may change while a role lasts. */
  readonly view: QuorumView;
  /** Up to here the log is durable. */
  readonly durableZxid: Zxid;
  /** The log was cut, or the whole history replaced: what is durable ends where the tree does. */
  onHistoryReplaced(): void;
  /** Something worth a line. */
  notice(kind: string, peer: number | null, text: string): void;
  /** Cuts this member's history behind `zxid`, on disk and in memory. @throws StorageError when it cannot */
  truncate(zxid: Zxid): void;
  /** Does what may fail on this member's own disk, and ends the process when it does. */
  attempt(action: () => void): void;
  /** Ends the turn of a timer. */
  endTurn(): void;
}

/** What a role tells the member. */
export interface RoleEvents {
  /** It serves from now on. */
  onServing(detail: {
    readonly epoch: number;
    readonly sync: 'none' | 'DIFF' | 'TRUNC' | 'SNAP';
  }): void;
  /** It is over; the role does nothing any more. */
  onRoleEnded(reason: string): void;
  /** Another configuration is in force, and is in the tree or about to be. */
  onMembersChanged(change: MembershipChange): void;
  /** The process cannot go on. */
  onFatal(exitCode: number, reason: string): void;
}
