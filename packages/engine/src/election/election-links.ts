/**
 * The links between members over which votes travel (`QuorumCnxManager.java`). Owns one link per peer and one
 * message waiting for each; decides who keeps which stream. Refuses what is no member's stream, and
 * knows nothing of what the messages mean.
 *
 * Of two members the one with the larger id dials: a stream the other way only says who wants one.
 */
import { assert, FrameDecoder } from '@meerkat/protocol';
import { electionLimits } from '../limits.ts';
import type {
  Clock,
  NetworkAddress,
  PeerNetwork,
  PeerStreamEvents,
  PeerStreamId,
  TimerListener,
} from '../ports.ts';
import type { QuorumView } from '../quorum/quorum-view.ts';
import type { ElectionNotice } from './election-notice.ts';
import {
  encodeInitialMessage,
  type InitialMessage,
  InitialMessageReader,
} from './initial-message.ts';

/** What the links need to know. */
export interface ElectionLinkOptions {
  /** Where this server can be reached when the configuration does not say so: it does not belong to it. */
  readonly ownAddresses: readonly NetworkAddress[];
  readonly myId: number;
  /** How long opening a stream may take, ms: `cnxTimeout`. */
  readonly connectTimeoutMs: number;
  /** How long the first message may take, ms: `quorumCnxnTimeoutMs`, or tickTime times syncLimit. */
  readonly helloTimeoutMs: number;
  /** Whether all of a member's addresses are told and dialled: `multiAddress.enabled`. */
  readonly multiAddressEnabled: boolean;
}

/** What comes of the links. */
export interface ElectionLinkEvents {
  /** A message from a peer: `bytes[start, end)`, valid during the call. Observers without an id get negative ones. */
  onMessage(sid: number, bytes: Uint8Array, start: number, end: number): void;
  /** There is a link to a peer, a new one perhaps in place of an old one. */
  onLinkUp(sid: number): void;
  /** The link to a peer is gone, and none has taken its place. */
  onLinkLost(sid: number): void;
  /** An attempt at a link has failed, and there is none. */
  onUnreachable(sid: number): void;
  onNotice(notice: ElectionNotice): void;
}

/** The links of one member. */
export class ElectionLinks implements PeerStreamEvents, TimerListener {
  readonly #options: ElectionLinkOptions;
  readonly #clock: Clock;
  readonly #network: PeerNetwork;
  readonly #events: ElectionLinkEvents;
  readonly #peers = new Map<number, Peer>();
  readonly #streams = new Map<PeerStreamId, Stream>();
  #view: QuorumView;
  #lastObserver = 0;
  #isStopped = false;

  constructor(
    options: ElectionLinkOptions,
    view: QuorumView,
    ports: { readonly clock: Clock; readonly peers: PeerNetwork },
    events: ElectionLinkEvents,
  ) {
    this.#options = options;
    this.#view = view;
    this.#clock = ports.clock;
    this.#network = ports.peers;
    this.#events = events;
  }

  /** Other members count, or have other addresses, from now on. Links stay. */
  setView(view: QuorumView): void {
    this.#view = view;
  }

  /** Ends every link and takes no more streams. */
  stop(): void {
    this.#isStopped = true;
    for (const stream of this.#streams.values()) this.#drop(stream);
    for (const peer of this.#peers.values()) this.#clock.cancelTimer(peer.timer);
    this.#peers.clear();
  }

  /** Whether there is a link to this server. */
  isLinked(sid: number): boolean {
    return (this.#peers.get(sid)?.link ?? null) !== null;
  }

  /** Whether there is no link to this server, and the last attempt at one has failed. */
  isUnreachable(sid: number): boolean {
    return this.#peers.get(sid)?.isUnreachable ?? false;
  }

  /** Sends a frame, in place of one that still waits, and dials when there is no link. The array must not change any more. */
  send(sid: number, frame: Uint8Array): void {
    assert(sid !== this.#options.myId, 'a link to oneself', sid);
    if (this.#isStopped) return;
    const peer = this.#peer(sid);
    peer.waiting = frame;
    peer.redialMs = redialMsMin;
    if (peer.link !== null) this.#transmit(peer, peer.link);
    else this.connect(sid);
  }

  /** Dials a server, unless there is a link or an attempt. */
  connect(sid: number): void {
    const peer = this.#peer(sid);
    if (this.#isStopped || peer.link !== null || peer.dialled !== null || sid < 0) return;
    this.#startDialling(peer);
  }

  /** Dials everybody to whom something was ever sent (`connectAll`). */
  connectAll(): void {
    for (const sid of this.#peers.keys()) this.connect(sid);
  }

  /** Whether at least one peer has been sent all that there was for it (`haveDelivered`). */
  haveDelivered(): boolean {
    for (const peer of this.#peers.values()) if (peer.waiting === null) return true;
    return false;
  }

  /** Forgets what waits and what would be sent again: it is true no longer. */
  forgetMessages(): void {
    for (const peer of this.#peers.values()) {
      peer.waiting = null;
      peer.last = null;
    }
  }

  /** Another server has opened a stream, `from` some address; it has to say who it is. */
  accept(id: PeerStreamId, from: NetworkAddress): void {
    if (this.#isStopped) {
      this.#network.destroy(id);
      return;
    }
    this.#makeRoom();
    const stream = new Stream(id, 'unnamed', null, `${from.host}:${from.port}`);
    stream.timer = this.#clock.startTimer(this.#options.helloTimeoutMs, this, id);
    this.#streams.set(id, stream);
  }

  onPeerOpened(id: PeerStreamId): void {
    const stream = this.#streams.get(id);
    if (stream?.phase !== 'dialled' || stream.peer === null) return;
    const { peer } = stream;
    peer.dialled = null;
    const { myId, multiAddressEnabled } = this.#options;
    const known = this.#view.addressesOf(myId).map(({ host, electionPort }) => {
      return { host, port: electionPort };
    });
    // A server that was removed is no longer in the configuration, but can be reached as before.
    const mine = known.length > 0 ? known : this.#options.ownAddresses;
    const hello = encodeInitialMessage(myId, mine, multiAddressEnabled);
    this.#network.send(id, hello, 0, hello.length);
    if (peer.sid > myId) {
      stream.phase = 'over';
      this.#network.close(id);
    } else {
      this.#establish(stream, peer);
    }
  }

  onPeerBytes(id: PeerStreamId, bytes: Uint8Array, start: number, end: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    let at = start;
    const { reader } = stream;
    if (stream.phase === 'unnamed' && reader !== null) {
      at = reader.push(bytes, at, end);
      if (reader.malformed !== null) {
        this.#refuse(stream, `its first message is none: ${reader.malformed}`);
      } else if (reader.message !== null) {
        this.#name(stream, reader.message);
      }
    }
    if (stream.phase === 'link' && at < end)
      stream.decoder.push(bytes, at, end, this.#framesOf(stream));
  }

  onPeerDrained(id: PeerStreamId): void {
    const stream = this.#streams.get(id);
    if (stream?.phase === 'link' && stream.peer !== null) this.#transmit(stream.peer, stream);
  }

  onPeerClosed(id: PeerStreamId, _reason: string): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#streams.delete(id);
    this.#clock.cancelTimer(stream.timer);
    const { peer } = stream;
    if (peer === null || this.#isStopped) return;
    if (peer.dialled === stream) {
      peer.dialled = null;
      if (peer.untried.length > 0) {
        this.#dialNext(peer);
      } else {
        this.#dialLater(peer);
        peer.isUnreachable = peer.link === null;
        if (peer.isUnreachable) this.#events.onUnreachable(peer.sid);
      }
    } else if (peer.link === stream) {
      peer.link = null;
      if (this.#isStranger(peer.sid) && peer.dialled === null) this.#peers.delete(peer.sid);
      this.#events.onLinkLost(peer.sid);
    }
  }

  /** A stream has not said in time who it is, or it is time to dial a server again. */
  onTimer(id: number): void {
    if (id < 0) {
      const peer = this.#peers.get(-1 - id);
      if (peer !== undefined && peer.waiting !== null) this.connect(peer.sid);
      return;
    }
    const stream = this.#streams.get(id);
    if (stream?.phase === 'unnamed') this.#refuse(stream, 'its first message has not come in time');
  }

  /** A stream has said whose it is: it becomes the link, or the link is dialled the other way. */
  #name(stream: Stream, message: InitialMessage): void {
    this.#clock.cancelTimer(stream.timer);
    const { myId } = this.#options;
    if (message.sid === myId) {
      const text = `${stream.from} has this server's own id ${myId}; give each server a myid of its own`;
      this.#events.onNotice({ kind: 'own id', sid: myId, text });
      this.#drop(stream);
      return;
    }
    // Java dials observers without an id as server -1, which nobody is; their stream is the only way to them.
    const sid = message.sid ?? --this.#lastObserver;
    const peer = this.#peer(sid);
    if (sid > myId || message.sid === null) {
      this.#establish(stream, peer);
      return;
    }
    this.#drop(stream);
    // The link that may still stand is replaced when the new one does: what dialled may not be that server.
    peer.told = message.addresses;
    if (peer.dialled === null) this.#startDialling(peer);
  }

  #establish(stream: Stream, peer: Peer): void {
    const old = peer.link;
    stream.phase = 'link';
    stream.peer = peer;
    peer.link = stream;
    peer.isUnreachable = false;
    if (old !== null) this.#drop(old);
    // The last message may have been lost with the old link; a newer one says more.
    peer.waiting ??= peer.last;
    this.#transmit(peer, stream);
    this.#events.onLinkUp(peer.sid);
  }

  #transmit(peer: Peer, link: Stream): void {
    const frame = peer.waiting;
    if (frame === null || this.#network.unsentBytes(link.id) > 0) return;
    peer.waiting = null;
    peer.last = frame;
    this.#network.send(link.id, frame, 0, frame.length);
  }

  #startDialling(peer: Peer): void {
    const known = this.#view.addressesOf(peer.sid);
    const configured = known.map(({ host, electionPort }) => ({ host, port: electionPort }));
    const isNew = (address: NetworkAddress): boolean =>
      !configured.some(({ host, port }) => host === address.host && port === address.port);
    peer.untried = [...configured, ...peer.told.filter(isNew)];
    if (peer.untried.length > 0) {
      this.#dialNext(peer);
      return;
    }
    const text = `server ${peer.sid} is in no configuration here and has told no address`;
    this.#events.onNotice({ kind: 'unknown server', sid: peer.sid, text });
  }

  /**
   * A member was not to be reached, and a message waits for it. Java dials again only when it has something to
   * send, which may be in a minute: so long would a network that is whole again stay without a leader.
   */
  #dialLater(peer: Peer): void {
    if (peer.waiting === null || this.#isStranger(peer.sid)) return;
    this.#clock.cancelTimer(peer.timer);
    peer.timer = this.#clock.startTimer(peer.redialMs, this, -1 - peer.sid);
    peer.redialMs = Math.min(peer.redialMs * 2, redialMsMax);
  }

  #dialNext(peer: Peer): void {
    const address = peer.untried.shift();
    assert(address !== undefined, 'no address to dial', peer.sid);
    const id = this.#network.dial(address, this.#options.connectTimeoutMs, this);
    peer.dialled = new Stream(id, 'dialled', peer, `${address.host}:${address.port}`);
    this.#streams.set(id, peer.dialled);
  }

  #framesOf(stream: Stream): { onFrame: FrameHandler; onBadLength(length: number): void } {
    const refuse = (length: number): void =>
      this.#refuse(stream, `it announces a message of ${length} bytes`);
    return {
      onFrame: (bytes, start, end) => {
        const sid = stream.peer?.sid;
        if (sid === undefined || start === end) refuse(0);
        else this.#events.onMessage(sid, bytes, start, end);
        return stream.phase === 'link';
      },
      onBadLength: refuse,
    };
  }

  #refuse(stream: Stream, why: string): void {
    const text = `the stream from ${stream.from} is closed: ${why}`;
    this.#events.onNotice({ kind: 'refused stream', sid: stream.peer?.sid ?? null, text });
    const { peer } = stream;
    this.#drop(stream);
    if (peer === null) return;
    this.#events.onLinkLost(peer.sid);
  }

  /** Ends a stream; what it still brings is not looked at. */
  #drop(stream: Stream): void {
    this.#clock.cancelTimer(stream.timer);
    stream.phase = 'over';
    if (stream.peer?.link === stream) stream.peer.link = null;
    if (stream.peer?.dialled === stream) stream.peer.dialled = null;
    this.#network.destroy(stream.id);
  }

  #peer(sid: number): Peer {
    let peer = this.#peers.get(sid);
    if (peer === undefined) {
      if (this.#isStranger(sid)) this.#forgetStrangers();
      peer = new Peer(sid);
      this.#peers.set(sid, peer);
    }
    return peer;
  }

  #isStranger(sid: number): boolean {
    return this.#view.member(sid) === null;
  }

  /** Makes room for one more server that is in no configuration. */
  #forgetStrangers(): void {
    const strangers = [...this.#peers.values()].filter(({ sid }) => this.#isStranger(sid));
    const tooMany = strangers.length + 1 - electionLimits.strangersMax;
    for (const peer of strangers.slice(0, Math.max(0, tooMany))) {
      this.#peers.delete(peer.sid);
      for (const stream of [peer.link, peer.dialled]) if (stream !== null) this.#drop(stream);
    }
  }

  /** Makes room for one more stream that has not said who it is. */
  #makeRoom(): void {
    const unnamed = [...this.#streams.values()].filter(({ phase }) => phase === 'unnamed');
    if (unnamed.length < electionLimits.unnamedStreamsMax) return;
    const [oldest] = unnamed;
    if (oldest !== undefined) this.#refuse(oldest, 'too many streams have not said who they are');
  }
}

/** How long after a failed attempt a member is dialled again, ms; each time twice as long. */
const redialMsMin = 1000;
const redialMsMax = 60_000;

type FrameHandler = (bytes: Uint8Array, start: number, end: number) => boolean;

/** Another server: its link, and what is to be sent to it. */
class Peer {
  readonly sid: number;
  link: Stream | null = null;
  dialled: Stream | null = null;
  /** Addresses that this attempt has not tried yet. */
  untried: NetworkAddress[] = [];
  /** Where it said it can be dialled; tried after the configured addresses. */
  told: readonly NetworkAddress[] = [];
  /** The newest message that has not been sent. */
  waiting: Uint8Array | null = null;
  /** The last message that was sent; it may not have arrived. */
  last: Uint8Array | null = null;
  /** The timer of the next attempt, and how long that will be away. */
  timer = 0;
  redialMs = redialMsMin;
  /** There is no link, and the last attempt at one has failed. */
  isUnreachable = false;

  constructor(sid: number) {
    this.sid = sid;
  }
}

/** One stream: dialled by us, or accepted and still unnamed, then a link, then over. */
class Stream {
  readonly id: PeerStreamId;
  readonly from: string;
  /** Reads the first message of an accepted stream. */
  readonly reader: InitialMessageReader | null;
  readonly decoder = new FrameDecoder(electionLimits.notificationBytesMax);
  phase: 'dialled' | 'unnamed' | 'link' | 'over';
  peer: Peer | null;
  timer = 0;

  constructor(id: PeerStreamId, phase: 'dialled' | 'unnamed', peer: Peer | null, from: string) {
    this.id = id;
    this.phase = phase;
    this.peer = peer;
    this.from = from;
    this.reader = phase === 'unnamed' ? new InitialMessageReader() : null;
  }
}
