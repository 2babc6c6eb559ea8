import type {
  Clock,
  NetworkAddress,
  PeerListenerEvents,
  PeerListenerId,
  PeerNetwork,
  PeerStreamEvents,
  PeerStreamId,
  TimerListener,
} from '../ports.ts';
import type { ElectionLinks } from './election-links.ts';
import type { ElectionNotice } from './election-notice.ts';

/** What the election port tells about itself. */
export interface ElectionPortEvents {
  onNotice(notice: ElectionNotice): void;
  /** No stream can be accepted at one of the addresses: this member cannot take part. */
  onUnableToListen(reason: string): void;
}

/**
 * Where other members are awaited (`QuorumCnxManager.Listener`). Owns the listeners and when to try again;
 * hands every stream to the links.
 */
export class ElectionPort implements PeerListenerEvents, TimerListener {
  readonly #network: PeerNetwork;
  readonly #clock: Clock;
  readonly #links: ElectionLinks;
  readonly #events: ElectionPortEvents;
  readonly #attemptsMax: number;
  #places: Place[] = [];

  /** @param attemptsMax how often one address is tried in a row: `electionPortBindRetry`, 3; 0 is without end */
  constructor(
    attemptsMax: number,
    ports: { readonly clock: Clock; readonly peers: PeerNetwork },
    links: ElectionLinks,
    events: ElectionPortEvents,
  ) {
    this.#attemptsMax = attemptsMax;
    this.#network = ports.peers;
    this.#clock = ports.clock;
    this.#links = links;
    this.#events = events;
  }

  /** Awaits peers at these addresses, and no more at those of before. */
  listen(addresses: readonly NetworkAddress[]): void {
    this.stop();
    this.#places = addresses.map((address) => ({ address, listener: 0, timer: 0, attempts: 0 }));
    for (const place of this.#places) this.#open(place);
  }

  /** Awaits no more peers. */
  stop(): void {
    for (const place of this.#places) {
      this.#clock.cancelTimer(place.timer);
      if (place.listener !== 0) this.#network.stopListening(place.listener);
    }
    this.#places = [];
  }

  onPeerListening(listener: PeerListenerId, port: number): void {
    const place = this.#placeOf(listener);
    if (place === undefined) return;
    const text = `votes are taken on ${place.address.host}:${port}`;
    this.#events.onNotice({ kind: 'listening', sid: null, text });
  }

  onPeerListenFailed(listener: PeerListenerId, reason: string): void {
    const place = this.#placeOf(listener);
    if (place === undefined) return;
    place.listener = 0;
    place.attempts += 1;
    const { host, port } = place.address;
    const text = `Cannot take votes on ${host}:${port}: the system says ${reason}`;
    this.#events.onNotice({ kind: 'cannot listen', sid: null, text });
    if (this.#attemptsMax !== 0 && place.attempts >= this.#attemptsMax) {
      this.#events.onUnableToListen(text);
    } else {
      place.timer = this.#clock.startTimer(retryMs, this, this.#places.indexOf(place));
    }
  }

  onPeerAccepted(
    listener: PeerListenerId,
    stream: PeerStreamId,
    from: NetworkAddress,
  ): PeerStreamEvents {
    const place = this.#placeOf(listener);
    if (place !== undefined) place.attempts = 0;
    this.#links.accept(stream, from);
    return this.#links;
  }

  onTimer(index: number): void {
    const place = this.#places[index];
    if (place !== undefined && place.listener === 0) this.#open(place);
  }

  #open(place: Place): void {
    place.listener = this.#network.listen(place.address, this);
  }

  #placeOf(listener: PeerListenerId): Place | undefined {
    return this.#places.find((place) => place.listener === listener);
  }
}

/** An address and what is being done there. */
interface Place {
  readonly address: NetworkAddress;
  listener: PeerListenerId;
  timer: number;
  attempts: number;
}

const retryMs = 1000;
