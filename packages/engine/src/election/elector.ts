import type { Clock, NetworkAddress, PeerNetwork } from '../ports.ts';
import type { QuorumConfig } from '../quorum/quorum-config.ts';
import type { QuorumView } from '../quorum/quorum-view.ts';
import { type ElectionLinkOptions, ElectionLinks } from './election-links.ts';
import type { ElectionNotice } from './election-notice.ts';
import { ElectionPort } from './election-port.ts';
import {
  type Election,
  type ElectionTiming,
  FastLeaderElection,
  type Standing,
} from './fast-leader-election.ts';
import type { Candidate, PeerState, Vote } from './vote.ts';

/** How a member takes part in elections. */
export interface ElectorOptions extends ElectionLinkOptions, ElectionTiming {
  /** Where votes are taken: this member's own election addresses, or every interface (`quorumListenOnAllIPs`). */
  readonly listenAddresses: readonly NetworkAddress[];
  /** How often one of them is tried in a row: `electionPortBindRetry`; 0 is without end. */
  readonly listenAttemptsMax: number;
}

/** ZooKeeper's defaults, with tickTime 2000 and syncLimit 5; the members are the caller's to know. */
export const electorDefaults: Omit<ElectorOptions, 'myId' | 'listenAddresses'> = {
  ownAddresses: [],
  connectTimeoutMs: 5000,
  helloTimeoutMs: 10_000,
  multiAddressEnabled: false,
  finalizeWaitMs: 200,
  notificationIntervalMinMs: 200,
  notificationIntervalMaxMs: 60_000,
  listenAttemptsMax: 3,
};

/** What comes of elections. None of these may call the elector before it returns, `onNewerConfig` excepted. */
export interface ElectorEvents {
  onElected(election: Election): void;
  /** A peer has a newer configuration; `setView` may follow. */
  onNewerConfig(config: QuorumConfig, from: number): void;
  /** While this member leads, a voter is looking for a leader. */
  onVoterLooking(sid: number): void;
  /** This member cannot take part: ZooKeeper ends with exit code 14. */
  onUnableToListen(reason: string): void;
  onNotice(notice: ElectionNotice): void;
}

/**
 * One member's part in elections: its election port, its links to the others, and its vote. Owns how these three
 * are wired; everything else is theirs.
 */
export class Elector {
  readonly #options: ElectorOptions;
  readonly #links: ElectionLinks;
  readonly #port: ElectionPort;
  readonly #election: FastLeaderElection;

  constructor(
    options: ElectorOptions,
    view: QuorumView,
    ports: { readonly clock: Clock; readonly peers: PeerNetwork },
    events: ElectorEvents,
  ) {
    this.#options = options;
    const links = new ElectionLinks(options, view, ports, {
      onMessage: (sid, bytes, start, end) => this.#election.onMessage(sid, bytes, start, end),
      onLinkUp: (sid) => this.#election.onPeerConnected(sid),
      onLinkLost: (sid) => this.#election.onPeerLost(sid),
      onUnreachable: () => this.#election.onPeerUnreachable(),
      onNotice: (notice) => events.onNotice(notice),
    });
    this.#links = links;
    this.#port = new ElectionPort(options.listenAttemptsMax, ports, links, events);
    this.#election = new FastLeaderElection(options.myId, view, options, ports.clock, {
      send: (sid, frame) => links.send(sid, frame),
      isLinked: (sid) => links.isLinked(sid),
      isUnreachable: (sid) => links.isUnreachable(sid),
      haveDelivered: () => links.haveDelivered(),
      forgetMessages: () => links.forgetMessages(),
      connectAll: () => links.connectAll(),
      onElected: (election) => events.onElected(election),
      onNewerConfig: (config, from) => events.onNewerConfig(config, from),
      onVoterLooking: (sid) => events.onVoterLooking(sid),
      onNotice: (notice) => events.onNotice(notice),
    });
  }

  /** What this member is doing. */
  get state(): PeerState {
    return this.#election.state;
  }

  /** The outcome of the last election, null before the first. */
  get currentVote(): Vote | null {
    return this.#election.currentVote;
  }

  /** Whom this member votes for in this round. */
  get proposal(): Candidate {
    return this.#election.proposal;
  }

  /** The round of elections. */
  get electionEpoch(): number {
    return this.#election.electionEpoch;
  }

  /** Goes on with what another elector of this member, which has stopped, has come to: its addresses have changed. */
  goOnFrom(former: Elector): void {
    this.#election.goOnFrom(former.#election);
  }

  /** Takes streams from other members from now on. */
  listen(): void {
    this.#port.listen(this.#options.listenAddresses);
  }

  /** There is no leader (any more): votes until there is. */
  lookForLeader(standing: Standing): void {
    this.#election.startLooking(standing);
  }

  /** Other members count from now on; an election that is going on begins again, with this standing. */
  setView(view: QuorumView, standing: Standing): void {
    this.#links.setView(view);
    this.#election.setView(view, standing);
  }

  /** The epoch that the elected leader has established: told to those who ask who leads. */
  setPeerEpoch(peerEpoch: number): void {
    this.#election.setPeerEpoch(peerEpoch);
  }

  /** Takes no part any more, and ends every link. */
  stop(): void {
    this.#election.stop();
    this.#port.stop();
    this.#links.stop();
  }
}
