/**
 * Reaches the leader that was elected (`Learner.connectToLeader`): all its addresses at once, five times at most, within
 * `connectToLearnerMasterLimit`. Owns the dials; the first stream that opens is the learner's.
 */
import type { PeerStreamEvents, PeerStreamId, TimerListener } from '../ports.ts';
import type { MemberContext } from './member-context.ts';

/** Whose dials they are. */
interface Dialler extends PeerStreamEvents {
  onUnreachable(reason: string): void;
}

export class LeaderDial implements TimerListener {
  readonly #context: MemberContext;
  readonly #leader: number;
  readonly #port: number | null;
  readonly #dialler: Dialler;
  #open = new Set<PeerStreamId>();
  #attempts = 0;
  #startMs = 0;
  #timer = 0;
  #isOver = false;

  /** @param port another port than that for learners: the one of an observer master; else null */
  constructor(context: MemberContext, leader: number, port: number | null, dialler: Dialler) {
    this.#port = port;
    this.#context = context;
    this.#leader = leader;
    this.#dialler = dialler;
  }

  start(): void {
    this.#startMs = this.#context.clock.monotonicMs();
    this.onTimer();
  }

  /** Gives up whatever is under way. */
  stop(): void {
    this.#isOver = true;
    this.#context.clock.cancelTimer(this.#timer);
    for (const stream of this.#open) this.#context.peers.destroy(stream);
    this.#open.clear();
  }

  /** A stream is open. Returns whether it is the one to be used. */
  onOpened(stream: PeerStreamId): boolean {
    if (this.#isOver || !this.#open.delete(stream)) {
      this.#context.peers.destroy(stream);
      return false;
    }
    this.stop();
    return true;
  }

  /** A dial has failed. */
  onClosed(stream: PeerStreamId, reason: string): void {
    if (!this.#open.delete(stream) || this.#isOver || this.#open.size > 0) return;
    const { clock, ensemble } = this.#context;
    if (this.#attempts >= attemptsMax || this.#leftMs() <= ensemble.redialDelayMs) {
      this.#isOver = true;
      return this.#dialler.onUnreachable(reason);
    }
    this.#timer = clock.startTimer(ensemble.redialDelayMs, this, 0);
  }

  onTimer(): void {
    if (this.#isOver) return;
    const { view, peers } = this.#context;
    this.#attempts++;
    for (const { host, quorumPort } of view.member(this.#leader)?.addresses ?? []) {
      const address = { host, port: this.#port ?? quorumPort };
      this.#open.add(peers.dial(address, Math.max(1, this.#leftMs()), this.#dialler));
    }
    if (this.#open.size === 0) this.#dialler.onUnreachable('it is not in the configuration');
  }

  #leftMs(): number {
    const { clock, config, ensemble } = this.#context;
    const ticks =
      ensemble.connectLimitTicks === 0 ? ensemble.initLimitTicks : ensemble.connectLimitTicks;
    return ticks * config.tickTimeMs - (clock.monotonicMs() - this.#startMs);
  }
}

const attemptsMax = 5;
