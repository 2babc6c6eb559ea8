import { JuteWriter } from '@meerkat/protocol';
import { BadArgumentsError, ProtocolError, RequestQueueFullError } from './errors.ts';
import type { ClientLimits } from './limits.ts';
import type { Clock, Stream } from './ports.ts';
import type { PendingRequest } from './request.ts';
import { Ring } from './ring.ts';

/** What the queue takes: the options it obeys, the time, and what to tell. */
export interface RequestQueueOptions {
  readonly limits: ClientLimits;
  readonly clock: Clock;
  /** Called when bytes leave, with the time. */
  readonly onSent: (nowMs: number) => void;
}

/**
 * The calls of one client on their way: first those sent, in the order of their replies, then those that wait.
 * What is submitted in one turn leaves in one write. It knows a stream while a server serves the session.
 */
export class RequestQueue {
  readonly #limits: ClientLimits;
  readonly #clock: Clock;
  readonly #onSent: (nowMs: number) => void;
  readonly #inFlight = new Ring<PendingRequest>();
  readonly #waiting = new Ring<PendingRequest>();
  readonly #scratch = new JuteWriter();
  readonly #capacityWaiters = new Set<() => void>();
  #out = new JuteWriter(16 * 1024);
  #stream: Stream | null = null;
  #waitingBytes = 0;
  #xid = 0;
  #flushAtEndOfTurn = false;
  #onIdle: (() => void) | null = null;

  constructor(options: RequestQueueOptions) {
    this.#limits = options.limits;
    this.#clock = options.clock;
    this.#onSent = options.onSent;
  }

  /** Requests sent and not answered. */
  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** Requests that wait for a connection or for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Sends a request, or lets it wait when there is no connection or too much is under way. */
  submit(request: PendingRequest): void {
    if (this.#stream !== null && this.#waiting.length === 0 && this.#maySendMore()) {
      const start = this.#out.length;
      if (!this.#encode(this.#out, request)) return;
      this.#register(request, this.#out, start);
      return;
    }
    if (this.#isFull()) {
      request.reject(this.#fullError(request));
      return;
    }
    if (!this.#encode(this.#scratch.clear(), request)) return;
    request.frame = this.#scratch.toBytes();
    this.#waitingBytes += request.frame.length;
    this.#waiting.push(request);
  }

  /** Sends a packet under a number of its own that is answered in order, ahead of all that wait. */
  submitSpecial(xid: number, request: PendingRequest): void {
    const start = this.#out.length;
    if (!this.#encode(this.#out, request)) return;
    request.xid = xid;
    this.#out.view.setInt32(start + 4, xid);
    this.#inFlight.push(request);
    this.#flushSoon();
  }

  /** Sends a packet that is not answered in order: a ping, credentials. */
  sendPacket(write: (writer: JuteWriter) => void): void {
    const start = this.#out.beginFrame();
    write(this.#out);
    this.#out.endFrame(start);
    this.#flushSoon();
  }

  /** A server serves the session; `pump` sends what waits. */
  open(stream: Stream): void {
    this.#stream = stream;
  }

  /** Sends what waits, as far as the limits allow. */
  pump(): void {
    if (this.#stream === null) return;
    while (this.#waiting.length > 0 && this.#maySendMore()) {
      const request = this.#waiting.shift() as PendingRequest;
      const frame = request.frame as Uint8Array;
      request.frame = null;
      this.#waitingBytes -= frame.length;
      if (request.isSettled) continue;
      const start = this.#out.length;
      this.#out.writeBytes(frame, 0, frame.length);
      this.#register(request, this.#out, start);
    }
    this.#tellCapacity();
  }

  /**
   * Matches a reply with the request it answers, and takes that off the queue.
   *
   * @throws ProtocolError when it answers no request, or not the one whose turn it is
   */
  take(xid: number): PendingRequest {
    const request = this.#inFlight.peek();
    if (request === undefined) {
      throw new ProtocolError(`Cannot match a reply: current xid is ${xid}, and no request waits`);
    }
    if (request.xid !== xid) {
      throw new ProtocolError(
        `Cannot match a reply: current xid is ${xid}, and the next must be ${request.xid}`,
      );
    }
    this.#inFlight.shift();
    if (this.#waiting.length > 0 || this.#capacityWaiters.size > 0 || this.#onIdle !== null)
      this.#flushSoon();
    return request;
  }

  /** Sends nothing more over this connection, and calls back when all that was sent is answered. */
  quiesce(onIdle: () => void): void {
    this.#onIdle = onIdle;
    this.#flushSoon();
  }

  /** Sends again: takes `quiesce` back. */
  resume(): void {
    if (this.#onIdle === null) return;
    this.#onIdle = null;
    this.#flushSoon();
  }

  /** The connection is gone. What to do with the requests is the caller's to say. */
  close(): void {
    this.#stream = null;
    this.#onIdle = null;
    this.#out.clear();
  }

  /** Takes every request off, sent or waiting, and fails it, in order; `fail` may submit it again. */
  failAll(fail: (request: PendingRequest) => void): void {
    const all: PendingRequest[] = [];
    for (const ring of [this.#inFlight, this.#waiting]) {
      for (let count = ring.length; count > 0; count--) all.push(ring.shift() as PendingRequest);
    }
    this.#waitingBytes = 0;
    for (const request of all) {
      request.frame = null;
      fail(request);
    }
    this.#tellCapacity();
  }

  /** Resolves when no request waits and fewer than the limits allow are under way. */
  capacity(): Promise<void> {
    if (this.#waiting.length === 0 && this.#maySendMore()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#capacityWaiters.add(resolve);
    });
  }

  /** Writes what the present turn has gathered. */
  flush(): void {
    this.#flushAtEndOfTurn = false;
    const stream = this.#stream;
    if (stream === null || this.#out.length === 0) return;
    this.#onSent(this.#clock.nowMs());
    const reusable = stream.write(this.#out.written());
    // A buffer that one large request has blown up is not kept.
    if (reusable && this.#out.bytes.length <= outBytesKept) this.#out.clear();
    else this.#out = new JuteWriter(16 * 1024);
  }

  #maySendMore(): boolean {
    if (this.#onIdle !== null) return false;
    const { inFlightRequestsMax, unsentBytesMax } = this.#limits;
    if (this.#inFlight.length >= inFlightRequestsMax) return false;
    const unsent = this.#stream === null ? 0 : this.#stream.unsentBytes;
    return unsent + this.#out.length < unsentBytesMax;
  }

  #isFull(): boolean {
    const { waitingRequestsMax, waitingBytesMax } = this.#limits;
    return this.#waiting.length >= waitingRequestsMax || this.#waitingBytes >= waitingBytesMax;
  }

  #fullError(request: PendingRequest): RequestQueueFullError {
    return new RequestQueueFullError(
      `Cannot ${request.operation.doing} ${request.path}: current value is ${this.#waiting.length} waiting requests of ${this.#waitingBytes} bytes; wait for capacity()`,
    );
  }

  /** Writes a frame at the writer's end, without its number. False when it is too long: the request has failed. */
  #encode(writer: JuteWriter, request: PendingRequest): boolean {
    const { operation } = request;
    const start = writer.beginFrame();
    writer.writeInt(0);
    writer.writeInt(operation.opcode);
    try {
      request.encode(writer);
    } catch (error) {
      writer.length = start;
      request.reject(error);
      return false;
    }
    const bytes = writer.length - start - 4;
    if (bytes <= this.#limits.requestBytesMax) {
      writer.endFrame(start);
      return true;
    }
    writer.length = start;
    request.reject(this.#tooLongError(request, bytes));
    return false;
  }

  #tooLongError(request: PendingRequest, bytes: number): BadArgumentsError {
    const { path } = request;
    const most = this.#limits.requestBytesMax;
    return new BadArgumentsError({
      path,
      message: `Cannot ${request.operation.doing} ${path}: current value is a request of ${bytes} bytes, and at most ${most} are sent (option requestBytesMax; the server's limit is jute.maxbuffer)`,
    });
  }

  #register(request: PendingRequest, writer: JuteWriter, start: number): void {
    this.#xid = this.#xid === 0x7fffffff ? 1 : this.#xid + 1;
    request.xid = this.#xid;
    writer.view.setInt32(start + 4, request.xid);
    this.#inFlight.push(request);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushAtEndOfTurn) return;
    this.#flushAtEndOfTurn = true;
    this.#clock.endOfTurn(this.#endOfTurn);
  }

  readonly #endOfTurn = (): void => {
    this.pump();
    this.flush();
    if (this.#onIdle !== null && this.#inFlight.length === 0) this.#onIdle();
  };

  #tellCapacity(): void {
    if (this.#capacityWaiters.size === 0 || this.#waiting.length > 0 || !this.#maySendMore())
      return;
    const waiters = [...this.#capacityWaiters];
    this.#capacityWaiters.clear();
    for (const resolve of waiters) resolve();
  }
}

const outBytesKept = 1024 * 1024;
