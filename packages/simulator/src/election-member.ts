import {
  type Election,
  type ElectionNotice,
  Elector,
  electorDefaults,
  PeerState,
  type QuorumConfig,
  QuorumView,
  quorumVerifierOf,
  type Standing,
} from '@meerkat/engine';
import type { ManualClock } from './manual-clock.ts';
import { ProcessClock } from './process-clock.ts';
import type { PeerFabric, SimulatedPeerNetwork } from './simulated-peer-network.ts';

/** What is told about members while they run. */
export interface ElectionMemberEvents {
  onElected(member: ElectionMember, election: Election): void;
  onNotice(member: ElectionMember, notice: ElectionNotice): void;
}

/**
 * One member of a simulated ensemble that only elects: the engine's elector, and in the place of what follows an
 * election the little that makes one end. Owns what its disk would hold, which survives a crash.
 */
export class ElectionMember {
  readonly id: number;
  readonly host: string;
  /** The history that it stands for elections with. */
  lastZxid: number;
  currentEpoch: number;
  /** How often it was started. */
  incarnation = 0;
  /** When it began to be without its leader or its followers, null while all is well. */
  aloneSinceMs: number | null = null;
  readonly #config: QuorumConfig;
  readonly #fabric: PeerFabric;
  readonly #events: ElectionMemberEvents;
  #process: ProcessClock | null = null;
  #network: SimulatedPeerNetwork | null = null;
  #elector: Elector | null = null;

  constructor(
    id: number,
    config: QuorumConfig,
    history: { readonly lastZxid: number; readonly currentEpoch: number },
    fabric: PeerFabric,
    events: ElectionMemberEvents,
  ) {
    this.id = id;
    this.host = `host${id}`;
    this.lastZxid = history.lastZxid;
    this.currentEpoch = history.currentEpoch;
    this.#config = config;
    this.#fabric = fabric;
    this.#events = events;
  }

  /** Its elector, null while it is down. */
  get elector(): Elector | null {
    return this.#elector;
  }

  get isUp(): boolean {
    return this.#elector !== null;
  }

  /** What it stands for elections with. */
  get standing(): Standing {
    const learnerType = this.#config.members.get(this.id)?.type ?? 'participant';
    return { learnerType, lastZxid: this.lastZxid, currentEpoch: this.currentEpoch };
  }

  /** The leader that it has decided for, null while it is looking or down. */
  get leader(): number | null {
    const elector = this.#elector;
    if (elector === null || elector.state === PeerState.looking) return null;
    return elector.currentVote?.leader ?? null;
  }

  start(clock: ManualClock): void {
    this.incarnation += 1;
    this.aloneSinceMs = null;
    const process = new ProcessClock(clock);
    const network = this.#fabric.networkOf(this.host, process);
    this.#process = process;
    this.#network = network;
    const options = {
      ...electorDefaults,
      myId: this.id,
      listenAddresses: [{ host: this.host, port: electionPort }],
    };
    const view = new QuorumView(quorumVerifierOf(this.#config));
    this.#elector = new Elector(
      options,
      view,
      { clock: process, peers: network },
      {
        onElected: (election) => {
          this.aloneSinceMs = null;
          this.#events.onElected(this, election);
        },
        onNewerConfig: () => {},
        onVoterLooking: () => {},
        onUnableToListen: () => {},
        onNotice: (notice) => this.#events.onNotice(this, notice),
      },
    );
    this.#elector.listen();
    this.#elector.lookForLeader(this.standing);
  }

  /** Its leader, or its followers, are gone: it looks for a leader again. */
  lookAgain(): void {
    this.aloneSinceMs = null;
    this.#elector?.lookForLeader(this.standing);
  }

  /** It is gone, with all but what its disk holds. */
  crash(): void {
    this.#process?.stop();
    this.#network?.crash();
    this.#elector = null;
  }

  /** It stands still for a while, as under SIGSTOP. */
  standStill(ms: number): void {
    this.#process?.standStill(ms);
  }
}

/** The election port of every simulated member. */
export const electionPort = 3888;
