import { ErrorCode, JuteError, JuteReader, SpecialXid } from '@meerkat/protocol';
import { formatServer } from './connect-string.ts';
import { type Credential, Credentials } from './credentials.ts';
import { type DeadlineOwner, DeadlineTimer } from './deadline-timer.ts';
import { failEnded } from './ended-call.ts';
import { ConnectionTimeoutError, ProtocolError } from './errors.ts';
import { FrameAssembler, type FrameSink } from './frame-assembler.ts';
import { greetingFrame, readWelcome, type SessionTicket } from './handshake.ts';
import { HookRunner } from './hooks.ts';
import { Dispatcher } from './listeners.ts';
import { closeSession } from './operations/admin.ts';
import { Pings } from './pings.ts';
import type { ClientPorts, HostPort, Stream, StreamHandler } from './ports.ts';
import { ReadWriteProbe } from './read-write-probe.ts';
import { noTarget, type PendingRequest, Request } from './request.ts';
import { RequestQueue } from './request-queue.ts';
import { SaslError } from './sasl/digest-md5.ts';
import { SaslExchange } from './sasl/sasl-exchange.ts';
import { ServerChoice } from './server-choice.ts';
import type { SessionSettings } from './session-settings.ts';
import { StateFeed } from './state-feed.ts';
import type { ConnectionState } from './states.ts';
import { type Timing, timingOf } from './timing.ts';
import { WatchKeeper } from './watch-keeper.ts';

type Phase = 'waiting' | 'dialing' | 'handshaking' | 'authenticating' | 'open' | 'ended';

/**
 * One session with an ensemble, over as many connections as it takes: dials, shakes hands, keeps it alive,
 * re-arms what a new connection needs, and tells when it is over. `states.ts` draws its states.
 */
export class Session implements StreamHandler, FrameSink, DeadlineOwner {
  readonly feed: StateFeed;
  readonly watches: WatchKeeper;
  readonly queue: RequestQueue;
  readonly #hooks: HookRunner | null;
  readonly #settings: SessionSettings;
  readonly #ports: ClientPorts;
  readonly #hosts: ServerChoice;
  readonly #credentials = new Credentials();
  readonly #probe: ReadWriteProbe;
  readonly #pings = new Pings();
  readonly #timer: DeadlineTimer;
  readonly #reader = new JuteReader();
  #assembler: FrameAssembler;
  #phase: Phase = 'waiting';
  #stream: Stream | null = null;
  #sasl: SaslExchange | null = null;
  #server: HostPort;
  #timing: Timing;
  #dialAtMs = 0;
  #dialedMs = 0;
  #heardMs = 0;
  #sentMs = 0;
  #ticket: SessionTicket | null;
  #sessionTimeoutMs: number;
  /** A read-only server's session means nothing to the others (`ClientCnxn.seenRwServerBefore`). */
  #seenReadWrite: boolean;
  #everConnected = false;
  /** What the server of the present connection said. */
  #isReadOnly = false;
  #resumes = false;
  #lastZxid = 0;
  #lastDialError: Error | null = null;
  #closing: Promise<void> | null = null;
  #finishClosing: () => void = () => {};

  constructor(settings: SessionSettings, ports: ClientPorts) {
    this.#settings = settings;
    this.#ports = ports;
    const { servers, srvName, srvRefreshMs, retryDelayMs } = settings;
    const onUnknown = (cause: Error): void => this.#onNobodyToDial(cause);
    const onKnown = (): void => this.#dialSoon();
    this.#hosts = new ServerChoice(
      { servers, srvName, srvRefreshMs, retryDelayMs, onKnown, onUnknown },
      ports,
    );
    this.#server = servers[0] ?? nowhere;
    const dispatcher = new Dispatcher(settings.onListenerError);
    const { hooks, onListenerError } = settings;
    this.#hooks = hooks === null ? null : new HookRunner(hooks, ports.clock, onListenerError);
    this.watches = new WatchKeeper(settings.chroot, dispatcher, this.#hooks);
    this.feed = new StateFeed(dispatcher, settings.limits.statesLagMax);
    this.queue = new RequestQueue({
      limits: settings.limits,
      clock: ports.clock,
      onSent: (nowMs) => {
        this.#sentMs = nowMs;
      },
    });
    this.#probe = new ReadWriteProbe(ports, this.#hosts, (server) =>
      this.#onReadWriteServer(server),
    );
    this.#assembler = new FrameAssembler(this, settings.limits.replyBytesMax);
    this.#ticket = settings.session;
    this.#seenReadWrite = settings.session !== null;
    this.#sessionTimeoutMs = settings.sessionTimeoutMs;
    this.#timing = timingOf(settings.sessionTimeoutMs, this.#hosts.size);
    this.#dialAtMs = ports.clock.nowMs();
    for (const credential of settings.credentials) {
      // A refusal is told by the state.
      this.#credentials.add(credential).promise.catch(() => {});
    }
    this.#timer = new DeadlineTimer(ports.clock, this);
    this.#hosts.start();
    this.#timer.arm();
  }

  get state(): ConnectionState {
    return this.feed.current;
  }

  /** The session's id and password; null before a server has given them. */
  get ticket(): SessionTicket | null {
    return this.#ticket;
  }

  /** The timeout that the server granted, ms; before that the one asked for. */
  get sessionTimeoutMs(): number {
    return this.#sessionTimeoutMs;
  }

  /** The zxid of the newest reply. */
  get lastZxid(): number {
    return this.#lastZxid;
  }

  /** Why the last attempt to reach a server failed; null after one that did not. */
  get lastDialError(): Error | null {
    return this.#lastDialError;
  }

  /** Whether watches are set anew on a new connection. */
  get rearmsWatches(): boolean {
    return this.#settings.rearmWatches;
  }

  /** Sends a request, or lets it wait for a connection; after the end it fails. */
  submit(request: PendingRequest): void {
    this.#hooks?.onCall(request);
    if (this.#phase === 'ended' || this.#closing !== null) this.#failEnded(request);
    else this.queue.submit(request);
  }

  /** Sends a credential, and again on every later connection. The request settles when a server has answered. */
  addAuth(credential: Credential): Request<null, void> {
    const request = this.#credentials.add(credential);
    this.#hooks?.onCall(request);
    if (this.#phase === 'ended' || this.#closing !== null) this.#failEnded(request);
    else if (this.#phase === 'open') this.#sendCredential(credential);
    return request;
  }

  /** Measures a ping, ms. Fails at once without a connection. */
  ping(): Request<null, number> {
    const request = this.#pings.request();
    this.#hooks?.onCall(request);
    if (this.#phase === 'ended') this.#failEnded(request);
    else if (this.#phase !== 'open') request.lose(new Error('there is no connection'));
    else this.#sendPing(request);
    return request;
  }

  /**
   * Takes a new list of servers, or the name that stands for them. True when the session is to move to another server: it
   * does once the calls under way are answered.
   */
  updateServers(servers: readonly HostPort[], srvName: string | null): boolean {
    if (this.#phase === 'ended' || this.#closing !== null) return false;
    const current = this.#phase === 'open' ? this.#server : null;
    const moves = this.#hosts.update(servers, srvName, current);
    if (moves && current !== null) this.queue.quiesce(() => this.#drop(listChanged(), true));
    else if (moves) this.#drop(listChanged());
    this.#dialSoon();
    return moves;
  }

  /** Ends the session on the server, after all calls made before; with `keepSession` only the connection. */
  close(keepSession: boolean): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    this.#closing = new Promise((resolve) => {
      this.#finishClosing = resolve;
    });
    const closing = this.#closing;
    if (this.#phase === 'ended') {
      this.#finishClosing();
    } else if (this.#phase !== 'open' || keepSession) {
      this.#end({ status: 'closed' });
    } else {
      this.queue.resume();
      const request = new Request(closeSession, noTarget, null, null);
      this.#hooks?.onCall(request);
      this.queue.submit(request);
      request.promise.then(
        () => this.#end({ status: 'closed' }),
        () => this.#end({ status: 'closed' }),
      );
    }
    return closing;
  }

  // StreamHandler

  onOpen(): void {
    this.#phase = 'handshaking';
    const { sessionTimeoutMs, canBeReadOnly } = this.#settings;
    const ticket = this.#seenReadWrite ? this.#ticket : null;
    const lastZxid = this.#lastZxid;
    this.#stream?.write(greetingFrame({ ticket, sessionTimeoutMs, lastZxid, canBeReadOnly }));
  }

  onBytes(bytes: Uint8Array): void {
    this.#heardMs = this.#ports.clock.nowMs();
    try {
      this.#assembler.push(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError) && !(error instanceof JuteError)) throw error;
      this.#drop(error);
    }
  }

  onDrained(): void {
    this.queue.pump();
    this.queue.flush();
  }

  onClosed(cause: Error | null): void {
    this.#stream = null;
    this.#drop(cause ?? new Error(`${formatServer(this.#server)} closed the connection`));
  }

  // FrameSink

  onFrame(bytes: Uint8Array, start: number, end: number): boolean {
    const reader = this.#reader.reset(bytes, start, end);
    if (this.#phase === 'handshaking') {
      this.#onWelcome(reader);
    } else if (this.#phase === 'authenticating') {
      this.#onSaslReply(reader);
    } else {
      const xid = reader.readInt();
      const zxid = reader.readLongAsDouble();
      this.#onReply(reader, xid, zxid, reader.readInt());
    }
    return this.#phase === 'open' || this.#phase === 'authenticating';
  }

  #onReply(reader: JuteReader, xid: number, zxid: number, code: number): void {
    if (xid === SpecialXid.notification) this.watches.onEvent(reader, zxid);
    else if (xid === SpecialXid.ping) this.#pings.onAnswer(this.#ports.clock.nowMs());
    else if (xid === SpecialXid.auth) this.#onAuthAnswer(code);
    else {
      const request = this.queue.take(xid);
      if (zxid > 0) this.#lastZxid = zxid;
      this.#answer(request, reader, code);
    }
  }

  #answer(request: PendingRequest, reader: JuteReader, code: number): void {
    // A call that was given up leaves its watch on the server; nobody here wants to hear of it.
    const wanted = !request.isSettled;
    try {
      if (request.answer(reader, code) && wanted) this.watches.register(request, code);
    } catch (error) {
      if (error instanceof JuteError) request.lose(error);
      throw error;
    }
  }

  #onAuthAnswer(code: number): void {
    this.#credentials.onAnswer(code);
    if (code === ErrorCode.authFailed) this.#end({ status: 'authFailed' });
  }

  #onWelcome(reader: JuteReader): void {
    const welcome = readWelcome(reader);
    if (welcome === null) {
      this.#end({ status: 'expired', by: 'server' });
      return;
    }
    const { sasl } = this.#settings;
    this.#resumes = this.#seenReadWrite && this.#ticket?.id === welcome.ticket.id;
    this.#ticket = welcome.ticket;
    this.#sessionTimeoutMs = welcome.sessionTimeoutMs;
    this.#timing = timingOf(welcome.sessionTimeoutMs, this.#hosts.size);
    this.#seenReadWrite ||= !welcome.readOnly;
    this.#isReadOnly = welcome.readOnly;
    this.#everConnected = true;
    if (sasl === null) {
      this.#becomeOpen();
    } else {
      this.#phase = 'authenticating';
      this.#sasl = new SaslExchange(sasl, this.#ports.random, this.#stream as Stream);
    }
  }

  #onSaslReply(reader: JuteReader): void {
    try {
      if (this.#sasl?.onReply(reader) === true) this.#becomeOpen();
    } catch (error) {
      if (!(error instanceof SaslError)) throw error;
      this.#end({ status: 'authFailed', cause: error });
    }
  }

  /** A server serves the session, and knows who we are as far as SASL goes. */
  #becomeOpen(): void {
    const ticket = this.#ticket as SessionTicket;
    this.#lastDialError = null;
    this.#hosts.succeeded();
    this.#phase = 'open';
    this.#sasl = null;
    this.#sentMs = this.#ports.clock.nowMs();
    this.#hooks?.onDial(this.#server, this.#dialedMs, null);
    this.#change({
      status: this.#isReadOnly ? 'connectedReadOnly' : 'connected',
      sessionId: ticket.id,
      sessionTimeoutMs: this.#sessionTimeoutMs,
      server: formatServer(this.#server),
      resumed: this.#resumes,
    });
    this.#prime();
    if (this.#isReadOnly) this.#probe.start();
    this.#timer.arm();
  }

  #change(state: ConnectionState): void {
    this.feed.change(state);
    this.#hooks?.onState(state);
  }

  /** What a new connection needs before the calls that wait: credentials, then watches (`primeConnection`). */
  #prime(): void {
    this.queue.open(this.#stream as Stream);
    for (const credential of this.#credentials.forNewConnection()) this.#sendCredential(credential);
    const { rearmWatches, limits } = this.#settings;
    if (rearmWatches) this.watches.rearm(this.queue, this.#lastZxid, limits.setWatchesBytesMax);
    this.queue.pump();
    this.queue.flush();
  }

  #sendCredential(credential: Credential): void {
    this.queue.sendPacket((writer) => this.#credentials.write(writer, credential));
  }

  #sendPing(request: Request<null, number> | null): void {
    this.#sentMs = this.#ports.clock.nowMs();
    this.#pings.send(this.queue, this.#sentMs, request);
  }

  #dial(): void {
    this.#server = this.#hosts.next();
    this.#phase = 'dialing';
    this.#dialedMs = this.#ports.clock.nowMs();
    this.#timing = timingOf(this.#sessionTimeoutMs, this.#hosts.size);
    this.#assembler = new FrameAssembler(this, this.#settings.limits.replyBytesMax);
    this.#stream = this.#ports.transport.dial(this.#server, this);
  }

  /**
   * Gives the present connection, or the attempt at one, up.
   *
   * @param keepsWaiting true when all that was sent is answered: what waits leaves over the next connection
   */
  #drop(cause: Error, keepsWaiting = false): void {
    if (this.#phase === 'ended' || this.#phase === 'waiting') return;
    const wasOpen = this.#phase === 'open';
    this.#closeStream();
    if (this.#closing !== null) {
      this.#end({ status: 'closed' });
      return;
    }
    this.#phase = 'waiting';
    const { random } = this.#ports;
    const { reconnectJitterMs, retryDelayMs } = this.#settings;
    let delayMs = this.#everConnected ? random.below(reconnectJitterMs + 1) : 0;
    if (wasOpen) {
      this.#change({ status: 'disconnected', cause });
      if (keepsWaiting) this.#pings.failAll((request) => request.lose(cause));
      else this.#failPending((request) => this.#loseOrRetry(request, cause));
    } else {
      this.#lastDialError = cause;
      this.#hooks?.onDial(this.#server, this.#dialedMs, cause);
      if (this.#hosts.failed()) {
        delayMs += retryDelayMs;
        this.#failPending((request) => request.lose(cause));
      }
    }
    this.#dialAtMs = this.#ports.clock.nowMs() + delayMs;
    this.#timer.arm();
  }

  /** The session is over: every call fails, every watcher is told, nothing is dialed again. */
  #end(state: ConnectionState): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#closeStream();
    this.#hosts.stop();
    this.#timer.stop();
    this.#change(state);
    this.#failPending((request) => this.#failEnded(request));
    this.#credentials.failAll((request) => this.#failEnded(request));
    this.watches.end();
    this.#finishClosing();
  }

  /** There may be somebody to dial who was not there before. */
  #dialSoon(): void {
    if (this.#phase !== 'waiting') return;
    this.#dialAtMs = Math.max(this.#dialAtMs, this.#ports.clock.nowMs());
    this.#timer.arm();
  }

  #onNobodyToDial(cause: Error): void {
    this.#lastDialError = cause;
    this.#failPending((request) => request.lose(cause));
  }

  #closeStream(): void {
    this.#probe.stop();
    this.queue.close();
    this.#sasl = null;
    this.#stream?.close();
    this.#stream = null;
  }

  #failPending(fail: (request: PendingRequest) => void): void {
    this.queue.failAll(fail);
    this.#pings.failAll(fail);
  }

  /** A read may be sent again: whether it was answered makes no difference. */
  #loseOrRetry(request: PendingRequest, cause: Error): void {
    const { retryReads } = this.#settings;
    if (retryReads && request.operation.isRead === true && !request.isSettled)
      this.queue.submit(request);
    else request.lose(cause);
  }

  #failEnded(request: PendingRequest): void {
    failEnded(request, this.state, this.#closing !== null);
  }

  #onReadWriteServer(server: HostPort): void {
    if (this.state.status !== 'connectedReadOnly') return;
    this.#hosts.prefer(server);
    this.#drop(new Error(`leaving a read-only server, for ${formatServer(server)} takes writes`));
  }

  // Time

  /** See `DeadlineOwner`: nothing is due while there is nobody to dial. */
  deadlineMs(): number {
    const { readTimeoutMs, connectTimeoutMs, pingIdleMs } = this.#timing;
    if (this.#phase === 'open') {
      return Math.min(this.#heardMs + readTimeoutMs, this.#sentMs + pingIdleMs);
    }
    const dialAtMs = this.#hosts.size === 0 ? Infinity : this.#dialAtMs;
    const next = this.#phase === 'waiting' ? dialAtMs : this.#dialedMs + connectTimeoutMs;
    return Math.min(next, this.#expiresAtMs());
  }

  #expiresAtMs(): number {
    return this.#everConnected ? this.#heardMs + this.#timing.expirationTimeoutMs : Infinity;
  }

  /** See `DeadlineOwner`. */
  onTime(nowMs: number): void {
    const { readTimeoutMs, connectTimeoutMs, pingIdleMs } = this.#timing;
    if (this.#phase === 'open') {
      if (nowMs >= this.#heardMs + readTimeoutMs) this.#drop(this.#silence(nowMs - this.#heardMs));
      else if (nowMs >= this.#sentMs + pingIdleMs) this.#sendPing(null);
    } else if (nowMs >= this.#expiresAtMs()) {
      this.#end({ status: 'expired', by: 'client' });
    } else if (this.#phase === 'waiting') {
      if (nowMs >= this.#dialAtMs && this.#hosts.size > 0) this.#dial();
    } else if (nowMs >= this.#dialedMs + connectTimeoutMs) {
      this.#drop(this.#silence(nowMs - this.#dialedMs));
    }
  }

  #silence(ms: number): ConnectionTimeoutError {
    const server = formatServer(this.#server);
    return new ConnectionTimeoutError(`${server} has not been heard for ${Math.round(ms)} ms`);
  }
}

function listChanged(): Error {
  return new Error('leaving a server, for the list of servers has changed');
}

/** The server before any is known. */
const nowhere: HostPort = { host: '', port: 0 };
