import type { TimerHandle } from '../ports.ts';
import { type ConnectionState, isFinal } from '../states.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { HoldLostError } from './errors.ts';

/**
 * When a lock, lease or leadership counts as lost.
 *
 * - `disconnected` (the default): as soon as the connection is lost. The server may still keep it for us, but from here
 *   on nobody here knows. Two holders can work at the same time only when our own process is paused, or when our server is
 *   cut off from its leader and has not noticed yet (up to `syncLimit` ticks), with a session timeout shorter than that.
 * - `expired`: a lost connection is sat out for a third of the session timeout, which is as long as the server keeps the
 *   session for sure (the loss was noticed after at most two thirds of silence). A job that is stopped late, by a
 *   pause of its own process say, may then overlap with the next holder's: check the fencing token.
 */
export type LostWhen = 'disconnected' | 'expired';

/**
 * The time for which something is held that goes with the session. Ends by `end` (given back) or by `lost`, once.
 */
export class Tenure {
  readonly #zk: ZooKeeper;
  readonly #lostWhen: LostWhen;
  readonly #what: string;
  readonly #controller = new AbortController();
  #stopListening: () => void;
  #timer: TimerHandle | null = null;
  #ended = false;
  #tellOver: () => void = () => {};
  /** Resolves when it is lost or given back. */
  readonly over: Promise<void> = new Promise((resolve) => {
    this.#tellOver = resolve;
  });

  /** @param what is held, as in "the lock /jobs/_c_…-lock-0000000000" */
  constructor(zk: ZooKeeper, what: string, lostWhen: LostWhen) {
    this.#zk = zk;
    this.#what = what;
    this.#lostWhen = lostWhen;
    this.#stopListening = zk.onState((state) => this.#onState(state));
    this.#onState(zk.state);
  }

  /** Aborts when it is lost, with a `HoldLostError`; never when it was given back. */
  get lost(): AbortSignal {
    return this.#controller.signal;
  }

  /** True until it is lost or given back. */
  get isHeld(): boolean {
    return !this.#ended;
  }

  /** It is lost. */
  lose(why: string, cause?: unknown): void {
    if (this.#ended) return;
    this.end();
    const message = `Cannot go on holding ${this.#what}: current value is ${why}`;
    this.#controller.abort(new HoldLostError(message, { cause }));
  }

  /** It was given back, or is about to be: from now on it cannot be lost. */
  end(): void {
    this.#ended = true;
    this.#stopListening();
    this.#stopTimer();
    this.#tellOver();
  }

  #onState(state: ConnectionState): void {
    // A read-only server has lost its ensemble, which may be about to expire the session: as good as no connection.
    if (state.status === 'connected') {
      this.#stopTimer();
    } else if (isFinal(state)) {
      this.lose(`a session that is ${state.status}`);
    } else if (this.#lostWhen === 'disconnected') {
      this.lose('a lost connection', state.status === 'disconnected' ? state.cause : undefined);
    } else if (this.#timer === null && !this.#ended) {
      const waitMs = Math.floor(this.#zk.sessionTimeoutMs / 3);
      const onTime = (): void => this.lose(`${waitMs} ms without a connection`);
      this.#timer = this.#zk.ports.clock.startTimer(waitMs, onTime);
    }
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#zk.ports.clock.cancelTimer(this.#timer);
    this.#timer = null;
  }
}
