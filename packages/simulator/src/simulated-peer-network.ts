import type {
  NetworkAddress,
  PeerListenerEvents,
  PeerListenerId,
  PeerNetwork,
  PeerStreamEvents,
  PeerStreamId,
  Random,
} from '@meerkat/engine';
import { assert } from '@meerkat/protocol';
import { ByteArena } from './byte-arena.ts';
import type { ManualClock } from './manual-clock.ts';
import type { ProcessClock } from './process-clock.ts';

/** How the network between members behaves. */
export interface PeerFabricOptions {
  /** How long bytes are under way, from and to, ms. */
  readonly latencyMs: readonly [number, number];
  /** Bytes that the system takes over from a sender before they arrive. */
  readonly systemBytesMax: number;
}

/** Something that one process has sent and another one has. */
export interface Arrival {
  /** The sender's end of the stream. */
  readonly stream: PeerStreamId;
  readonly from: string;
  readonly to: string;
  /** Where the stream was awaited, by whichever end. */
  readonly port: number;
  readonly sentMs: number;
}

/**
 * The network between the members of a simulated ensemble. Owns every stream, the bytes under way, and who
 * reaches whom; faults are ordered here. Each host gets its end with `networkOf`. Where a stream is
 * blocked its bytes wait, as TCP sends them again; where it is cut they are lost from any byte on.
 */
export class PeerFabric {
  /** Told of everything that was sent, once a process has all of it. */
  onArrived: ((arrival: Arrival) => void) | null = null;
  readonly clock: ManualClock;
  readonly random: Random;
  readonly options: PeerFabricOptions;
  /** Where bytes are kept that are under way. */
  readonly arena: ByteArena = new ByteArena();
  /** Called when a direction is free again. */
  onFreed: () => void = () => {};
  readonly #listeners = new Map<string, Listener>();
  readonly #blocked = new Set<string>();
  readonly #slow = new Map<string, number>();
  #streams: Stream[] = [];
  #lastId = 0;

  constructor(clock: ManualClock, random: Random, options: PeerFabricOptions) {
    this.clock = clock;
    this.random = random;
    this.options = options;
  }

  /** The network as the process sees it that runs on `host`, by this clock, from now on. */
  networkOf(host: string, clock: ProcessClock): SimulatedPeerNetwork {
    return new SimulatedPeerNetwork(this, host, clock);
  }

  /** Blocks, or frees, one direction between two hosts. */
  setBlocked(from: string, to: string, isBlocked: boolean): void {
    if (isBlocked) this.#blocked.add(`${from}>${to}`);
    else this.#blocked.delete(`${from}>${to}`);
    if (!isBlocked) this.onFreed();
    for (const stream of this.#streams) stream.deliver();
  }

  /** Makes everything that goes one way between two hosts take so much longer, ms; 0 is as usual. */
  setSlow(from: string, to: string, ms: number): void {
    if (ms > 0) this.#slow.set(`${from}>${to}`, ms);
    else this.#slow.delete(`${from}>${to}`);
  }

  /** Frees every direction, and slows none down. */
  heal(): void {
    this.#blocked.clear();
    this.#slow.clear();
    this.onFreed();
    for (const stream of this.#streams) stream.deliver();
  }

  /** Whether bytes go from one host to the other. */
  reaches(from: string, to: string): boolean {
    return !this.#blocked.has(`${from}>${to}`);
  }

  /** Cuts one of the open streams, in each direction at any byte that is under way. */
  cutAny(): void {
    const open = this.#streams.filter((stream) => !stream.isCut);
    if (open.length > 0) open[this.random.below(open.length)]?.cut();
  }

  /** Cuts every stream of a host likewise. Returns how many. */
  cutAllOf(host: string): number {
    const open = this.#streams.filter((stream) => !stream.isCut && stream.isOf(host));
    for (const stream of open) stream.cut();
    return open.length;
  }

  /** Streams that are not over for both ends. */
  get streamCount(): number {
    return this.#streams.length;
  }

  /** A latency of its own for whatever is sent now. */
  drawLatencyMs(sender: string, receiver: string): number {
    const [from, to] = this.options.latencyMs;
    const drawn = from + this.random.below(to - from + 1);
    return this.#slow.size === 0 ? drawn : drawn + (this.#slow.get(`${sender}>${receiver}`) ?? 0);
  }

  nextId(): number {
    return ++this.#lastId;
  }

  addListener(listener: Listener): boolean {
    const key = `${listener.network.host}:${listener.port}`;
    if (this.#listeners.has(key)) return false;
    this.#listeners.set(key, listener);
    return true;
  }

  removeListener(listener: Listener): void {
    const key = `${listener.network.host}:${listener.port}`;
    if (this.#listeners.get(key) === listener) this.#listeners.delete(key);
  }

  /** The host is gone: its listeners with it, and its streams, of which some peers hear nothing. */
  removeHost(network: SimulatedPeerNetwork): void {
    for (const [key, listener] of this.#listeners) {
      if (listener.network === network) this.#listeners.delete(key);
    }
    for (const stream of this.#streams) {
      if (stream.belongsTo(network)) stream.cut();
    }
  }

  connect(from: SimulatedPeerNetwork, to: NetworkAddress, timeoutMs: number, end: StreamEnd): void {
    const isOpen = this.reaches(from.host, to.host) && this.reaches(to.host, from.host);
    if (!isOpen) {
      this.clock.after(timeoutMs, () => end.ended('timed out'));
      return;
    }
    this.clock.after(this.drawLatencyMs(from.host, to.host), () => {
      const listener = this.#listeners.get(`${to.host}:${to.port}`);
      if (listener === undefined) {
        this.clock.after(this.drawLatencyMs(to.host, from.host), () =>
          end.ended('connection refused'),
        );
        return;
      }
      this.#open(end, listener);
    });
  }

  forget(stream: Stream): void {
    this.#streams = this.#streams.filter((other) => other !== stream);
  }

  #open(dialler: StreamEnd, listener: Listener): void {
    if (dialler.isOver) return;
    const acceptor = listener.network.newEnd();
    const stream = new Stream(this, dialler, acceptor, listener.port);
    this.#streams.push(stream);
    const from = { host: dialler.network.host, port: 40_000 + (dialler.id % 20_000) };
    listener.network.accept(listener, acceptor, stream, from);
    const backMs = this.drawLatencyMs(listener.network.host, dialler.network.host);
    this.clock.after(backMs, () => dialler.connected(stream));
  }
}

/** One host's end of the network: the port that its process is given. */
export class SimulatedPeerNetwork implements PeerNetwork {
  readonly host: string;
  /** Called before bytes leave; what it throws ends the process in the middle of what it does. */
  beforeSend: () => void = () => {};
  /** Called once all that is due now was told: the end of a turn. */
  onTurnEnd: (() => void) | null = null;
  readonly #fabric: PeerFabric;
  readonly #clock: ProcessClock;
  readonly #ends = new Map<PeerStreamId, StreamEnd>();
  readonly #listeners = new Map<PeerListenerId, Listener>();
  #isDown = false;
  #isTurnOpen = false;

  constructor(fabric: PeerFabric, host: string, clock: ProcessClock) {
    this.#fabric = fabric;
    this.#clock = clock;
    this.host = host;
  }

  /** Whether the process is gone; then it is told nothing more. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** The process is gone. */
  crash(): void {
    this.#isDown = true;
    this.#fabric.removeHost(this);
  }

  listen(address: NetworkAddress, events: PeerListenerEvents): PeerListenerId {
    const listener = { id: this.#fabric.nextId(), network: this, port: address.port, events };
    this.#listeners.set(listener.id, listener);
    this.#later(() => {
      if (!this.#listeners.has(listener.id)) return;
      if (this.#fabric.addListener(listener)) events.onPeerListening(listener.id, address.port);
      else events.onPeerListenFailed(listener.id, 'EADDRINUSE');
    });
    return listener.id;
  }

  stopListening(id: PeerListenerId): void {
    const listener = this.#listeners.get(id);
    if (listener !== undefined) this.#fabric.removeListener(listener);
    this.#listeners.delete(id);
  }

  dial(address: NetworkAddress, timeoutMs: number, events: PeerStreamEvents): PeerStreamId {
    const end = this.newEnd();
    end.events = events;
    this.#fabric.connect(this, address, timeoutMs, end);
    return end.id;
  }

  send(id: PeerStreamId, bytes: Uint8Array, start: number, end: number): boolean {
    assert(end > start, 'nothing is sent', start, end);
    this.beforeSend();
    return this.#ends.get(id)?.send(this.#fabric.arena.copy(bytes, start, end)) ?? true;
  }

  unsentBytes(id: PeerStreamId): number {
    return this.#ends.get(id)?.unsentBytes ?? 0;
  }

  close(id: PeerStreamId): void {
    this.#ends.get(id)?.close();
  }

  destroy(id: PeerStreamId): void {
    this.#ends.get(id)?.destroy();
  }

  setReading(id: PeerStreamId, reading: boolean): void {
    this.#ends.get(id)?.setReading(reading);
  }

  newEnd(): StreamEnd {
    const end = new StreamEnd(this.#fabric.nextId(), this);
    this.#ends.set(end.id, end);
    return end;
  }

  /** The system has taken a stream for the process, which learns it in its own time. */
  accept(listener: Listener, end: StreamEnd, stream: Stream, from: NetworkAddress): void {
    this.#later(() => {
      if (!this.#ends.has(end.id) || !this.#listeners.has(listener.id)) return;
      end.events = listener.events.onPeerAccepted(listener.id, end.id, from);
      end.opened(stream);
    });
  }

  /** Tells the process about something in an event of its own, if it is still there. */
  tell(
    end: StreamEnd,
    action: (events: PeerStreamEvents) => void,
    arrival: Arrival | null = null,
  ): void {
    this.#later(() => {
      if (!this.#ends.has(end.id) || end.events === null) return;
      action(end.events);
      if (arrival !== null) this.#fabric.onArrived?.(arrival);
    });
  }

  forgetEnd(end: StreamEnd, reason: string): void {
    this.#later(() => {
      if (this.#ends.delete(end.id)) end.events?.onPeerClosed(end.id, reason);
    });
  }

  #later(action: () => void): void {
    this.#clock.after(0, () => {
      if (this.#isDown) return;
      this.#armTurn();
      action();
    });
  }

  #armTurn(): void {
    if (this.#isTurnOpen || this.onTurnEnd === null) return;
    this.#isTurnOpen = true;
    this.#clock.after(0, () => {
      this.#isTurnOpen = false;
      if (!this.#isDown) this.onTurnEnd?.();
    });
  }
}

interface Listener {
  readonly id: PeerListenerId;
  readonly network: SimulatedPeerNetwork;
  readonly port: number;
  readonly events: PeerListenerEvents;
}

/** One end of a stream. */
class StreamEnd {
  readonly id: PeerStreamId;
  readonly network: SimulatedPeerNetwork;
  events: PeerStreamEvents | null = null;
  isReading = true;
  isOver = false;
  #stream: Stream | null = null;
  #isDrainAwaited = false;

  constructor(id: PeerStreamId, network: SimulatedPeerNetwork) {
    this.id = id;
    this.network = network;
  }

  get unsentBytes(): number {
    return this.#stream?.unsentBytes(this) ?? 0;
  }

  /** The process has the stream from now on. */
  opened(stream: Stream): void {
    this.#stream = stream;
    stream.deliver();
  }

  connected(stream: Stream): void {
    if (this.isOver) {
      stream.end(this);
      return;
    }
    this.#stream = stream;
    this.network.tell(this, (events) => events.onPeerOpened(this.id));
    stream.deliver();
  }

  /** Whether the end knows that it is connected and takes what arrives. */
  get isListening(): boolean {
    return this.#stream !== null && this.isReading && !this.isOver;
  }

  send(bytes: Uint8Array): boolean {
    if (this.isOver || this.#stream === null) return true;
    this.#stream.send(this, bytes);
    this.#isDrainAwaited = this.unsentBytes > 0;
    return !this.#isDrainAwaited;
  }

  /** @param arrival what has arrived with these bytes, null while some of it is under way */
  received(bytes: Uint8Array, arrival: Arrival | null): void {
    const { id } = this;
    this.network.tell(this, (events) => events.onPeerBytes(id, bytes, 0, bytes.length), arrival);
  }

  drained(): void {
    if (!this.#isDrainAwaited || this.unsentBytes > 0) return;
    this.#isDrainAwaited = false;
    this.network.tell(this, (events) => events.onPeerDrained(this.id));
  }

  setReading(reading: boolean): void {
    this.isReading = reading;
    this.#stream?.deliver();
  }

  close(): void {
    const stream = this.#stream;
    this.ended('closed');
    stream?.end(this);
  }

  destroy(): void {
    this.close();
  }

  ended(reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    this.network.forgetEnd(this, reason);
  }
}

/** A stream between two ends: two directions. */
class Stream {
  readonly #ends: readonly [StreamEnd, StreamEnd];
  readonly #pipes: readonly [Pipe, Pipe];
  readonly #fabric: PeerFabric;
  isCut = false;

  constructor(fabric: PeerFabric, dialler: StreamEnd, acceptor: StreamEnd, port: number) {
    this.#fabric = fabric;
    this.#ends = [dialler, acceptor];
    this.#pipes = [
      new Pipe(fabric, dialler, acceptor, port),
      new Pipe(fabric, acceptor, dialler, port),
    ];
  }

  belongsTo(network: SimulatedPeerNetwork): boolean {
    return this.#ends.some((end) => end.network === network);
  }

  isOf(host: string): boolean {
    return this.#ends.some((end) => end.network.host === host);
  }

  unsentBytes(from: StreamEnd): number {
    return Math.max(0, this.#pipeFrom(from).bytes - this.#fabric.options.systemBytesMax);
  }

  send(from: StreamEnd, bytes: Uint8Array): void {
    this.#pipeFrom(from).push(bytes);
  }

  /** One end is over: the other learns it behind what was sent. */
  end(from: StreamEnd): void {
    this.#pipeFrom(from).push('end');
    if (this.#ends.every(({ isOver }) => isOver)) this.#fabric.forget(this);
  }

  /** The stream breaks: what is under way is lost from any byte on, and each end learns it in its own time. */
  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    for (const pipe of this.#pipes) pipe.cut();
    this.#fabric.clock.after(2000, () => this.#fabric.forget(this));
  }

  deliver(): void {
    for (const pipe of this.#pipes) pipe.deliver();
  }

  #pipeFrom(end: StreamEnd): Pipe {
    return end === this.#ends[0] ? this.#pipes[0] : this.#pipes[1];
  }
}

/** One direction of a stream. Owns what is under way in it, in order. */
class Pipe {
  readonly #fabric: PeerFabric;
  readonly #from: StreamEnd;
  readonly #to: StreamEnd;
  readonly #port: number;
  #items: (Uint8Array | 'end')[] = [];
  /** For each item what arrives with it; null for the first part of something. */
  #arrivals: (Arrival | null)[] = [];
  /** How many of the items have arrived and wait only to be taken. */
  #arrived = 0;
  #lastArrivalMs = 0;
  #bytes = 0;
  #isCut = false;

  constructor(fabric: PeerFabric, from: StreamEnd, to: StreamEnd, port: number) {
    this.#fabric = fabric;
    this.#from = from;
    this.#to = to;
    this.#port = port;
  }

  /** Bytes under way. */
  get bytes(): number {
    return this.#bytes;
  }

  push(item: Uint8Array | 'end'): void {
    if (this.#isCut) return;
    // A piece may be torn anywhere on the way.
    if (item !== 'end' && item.length > 1 && this.#fabric.random.below(4) === 0) {
      const at = 1 + this.#fabric.random.below(item.length - 1);
      this.#launch(item.subarray(0, at), false);
      this.#launch(item.subarray(at), true);
    } else {
      this.#launch(item, true);
    }
  }

  /** Passes on what has arrived, while the way is free. */
  deliver(): void {
    while (this.#arrived > 0 && this.#isFree()) {
      this.#arrived -= 1;
      const item = this.#items.shift();
      const arrival = this.#arrivals.shift() ?? null;
      if (item === undefined) return;
      if (item !== 'end') this.#bytes -= item.length;
      if (item === 'end') this.#to.ended('closed by the peer');
      else this.#to.received(item, arrival);
      this.#from.drained();
    }
  }

  cut(): void {
    const kept = this.#isFree() ? this.#fabric.random.below(this.#items.length + 1) : 0;
    this.#isCut = true;
    const torn = kept > 0 ? this.#items[kept] : undefined;
    this.#items = this.#items.slice(0, kept);
    this.#arrivals = this.#arrivals.slice(0, kept);
    if (torn !== undefined && torn !== 'end' && torn.length > 1) {
      this.#items.push(torn.subarray(0, 1 + this.#fabric.random.below(torn.length - 1)));
    }
    this.#arrived = this.#items.length;
    this.#bytes = 0;
    for (const item of this.#items) if (item !== 'end') this.#bytes += item.length;
    this.deliver();
    this.#fabric.clock.after(this.#fabric.random.below(1000), () => {
      this.#to.ended('reset by the peer');
    });
  }

  #launch(item: Uint8Array | 'end', isWhole: boolean): void {
    const nowMs = this.#fabric.clock.monotonicMs();
    const { host: from } = this.#from.network;
    const latencyMs = this.#fabric.drawLatencyMs(from, this.#to.network.host);
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + latencyMs);
    this.#items.push(item);
    const to = this.#to.network.host;
    const stream = this.#from.id;
    this.#arrivals.push(isWhole ? { stream, from, to, port: this.#port, sentMs: nowMs } : null);
    if (item !== 'end') this.#bytes += item.length;
    this.#fabric.clock.after(this.#lastArrivalMs - nowMs, () => {
      if (this.#isCut) return;
      this.#arrived += 1;
      this.deliver();
    });
  }

  #isFree(): boolean {
    const isBlocked = !this.#fabric.reaches(this.#from.network.host, this.#to.network.host);
    return this.#isCut || (!isBlocked && this.#to.isListening);
  }
}
