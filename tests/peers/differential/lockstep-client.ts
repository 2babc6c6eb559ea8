import { OpCode } from '@meerkat/protocol';
import { pingRequest } from '../support/requests.ts';
import {
  ConnectionClosedError,
  type HandshakeOptions,
  RawConnection,
  type SessionCredentials,
} from '../support/wire.ts';
import { type CanonicalFrame, canonicalFrame } from './canonical-reply.ts';
import type { ConnectionStep, RequestsStep, Step } from './step.ts';

/** How long sessions live; longer than any run, so that none expires. */
const sessionTimeoutMs = 600_000;

/** What one server did with one step. */
export interface StepOutcome {
  /** Everything that came on the step's connection since its last step, in order. */
  readonly frames: readonly CanonicalFrame[];
  /** Handshakes that the step led to. */
  readonly handshakes: readonly string[];
}

/** Runs steps against one server: several sessions, one connection each. */
export class LockstepClient {
  #port: number;
  #connections: RawConnection[] = [];
  #sessions: SessionCredentials[] = [];
  #lastZxid: number[] = [];
  /** By `hi:lo`: the name both servers share. */
  #sessionNames = new Map<string, string>();
  #sessionCount = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Opens `count` sessions, one after the other. */
  async open(count: number): Promise<string[]> {
    const handshakes: string[] = [];
    for (let session = 0; session < count; session++) {
      handshakes.push(await this.#newSession(session));
    }
    return handshakes;
  }

  /** Does one step and returns what came of it. */
  run(step: Step): Promise<StepOutcome> {
    switch (step.kind) {
      case 'requests':
        return this.#requests(step);
      case 'bytes':
        return this.#bytes(step.session, step.bytes);
      default:
        return this.#comeBack(step);
    }
  }

  /** Reads every event that is still on its way to any session. */
  async flushAll(): Promise<StepOutcome[]> {
    const outcomes: StepOutcome[] = [];
    for (let session = 0; session < this.#connections.length; session++) {
      outcomes.push({ frames: await this.#flush(session), handshakes: [] });
    }
    return outcomes;
  }

  close(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  async #comeBack(step: ConnectionStep): Promise<StepOutcome> {
    const frames = await this.#flush(step.session);
    this.#connection(step.session).destroy();
    return { frames, handshakes: await this.#reconnect(step.session, step.kind) };
  }

  async #requests(step: RequestsStep): Promise<StepOutcome> {
    const { session, requests } = step;
    const connection = this.#connection(session);
    connection.send(...requests.map((request) => request.payload));
    const frames: CanonicalFrame[] = [];
    try {
      for (let replies = 0; replies < requests.length; ) {
        const reply = await this.#next(session, requests[replies]?.type ?? 0);
        frames.push(reply);
        if ('xid' in reply) replies++;
      }
    } catch (error) {
      if (!(error instanceof ConnectionClosedError) || step.closes === undefined) throw error;
    }
    if (step.closes === undefined) return { frames, handshakes: [] };
    await connection.untilClosed();
    if (step.closes === 'connection') {
      return { frames, handshakes: await this.#reconnect(session, 'reconnect') };
    }
    return { frames: sortLastEvents(frames), handshakes: [await this.#newSession(session)] };
  }

  async #bytes(session: number, bytes: Uint8Array): Promise<StepOutcome> {
    const frames = await this.#flush(session);
    const connection = this.#connection(session);
    connection.sendBytes(bytes);
    await connection.untilClosed();
    return { frames, handshakes: await this.#reconnect(session, 'reconnect') };
  }

  /** A ping's reply comes after everything that was sent before it. */
  async #flush(session: number): Promise<CanonicalFrame[]> {
    this.#connection(session).send(pingRequest);
    const frames: CanonicalFrame[] = [];
    for (;;) {
      const frame = await this.#next(session, OpCode.ping);
      frames.push(frame);
      if ('xid' in frame) return frames;
    }
  }

  async #next(session: number, type: number): Promise<CanonicalFrame> {
    const frame = await this.#connection(session).next();
    const canonical = canonicalFrame(frame, type, this.#sessionName);
    if (canonical.zxid > 0) this.#lastZxid[session] = canonical.zxid;
    return canonical;
  }

  async #newSession(session: number): Promise<string> {
    const name = `session ${session}.${this.#sessionCount++}`;
    const { connection, text } = await this.#handshake({ timeoutMs: sessionTimeoutMs }, name);
    if (connection === undefined) throw new Error(`A new session was refused: ${text}`);
    this.#connections[session] = connection;
    this.#sessions[session] = connection.credentials;
    return text;
  }

  async #reconnect(session: number, kind: string): Promise<string[]> {
    const credentials = this.#sessions[session];
    if (credentials === undefined) throw new Error(`There is no session ${session}`);
    const handshakes: string[] = [];
    const refused = refusedHandshake(kind, credentials);
    if (refused !== undefined) handshakes.push((await this.#handshake(refused)).text);
    const { connection, text } = await this.#handshake({
      session: credentials,
      timeoutMs: sessionTimeoutMs,
      lastZxidSeen: this.#lastZxid[session] ?? 0,
      readOnly: kind === 'reconnect-old-form' ? null : false,
    });
    handshakes.push(text);
    if (connection === undefined) throw new Error(`Session ${session} was lost: ${text}`);
    this.#connections[session] = connection;
    return handshakes;
  }

  /** Shakes hands; `name` names the session that comes of it. A refusal or a close leaves no connection. */
  async #handshake(
    options: HandshakeOptions,
    name?: string,
  ): Promise<{ readonly connection?: RawConnection; readonly text: string }> {
    const connection = await RawConnection.open(this.#port);
    try {
      const { protocolVersion, timeOut, readOnly, sessionIdHi, sessionIdLo, passwd } =
        await connection.handshake(options);
      if (name !== undefined) this.#sessionNames.set(`${sessionIdHi}:${sessionIdLo}`, name);
      const text = `version ${protocolVersion}, timeout ${timeOut}, ${this.#sessionName(sessionIdHi, sessionIdLo)}, \
readOnly ${readOnly}, password of ${passwd?.length} bytes`;
      if (timeOut > 0) return { connection, text };
      await connection.untilClosed();
      return { text: `${text}, closed` };
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
      return { text: 'closed' };
    }
  }

  #connection(session: number): RawConnection {
    const connection = this.#connections[session];
    if (connection === undefined) throw new Error(`There is no session ${session}`);
    return connection;
  }

  #sessionName = (hi: number, lo: number): string => {
    if (hi === 0 && lo === 0) return 'none';
    return this.#sessionNames.get(`${hi}:${lo}`) ?? `unknown ${hi}:${lo}`;
  };
}

function refusedHandshake(
  kind: string,
  credentials: SessionCredentials,
): HandshakeOptions | undefined {
  switch (kind) {
    case 'reconnect-wrong-password':
      return { session: { ...credentials, passwd: new Uint8Array(16).fill(7) } };
    case 'reconnect-unknown-session':
      return { session: { sessionIdHi: 0x01234567, sessionIdLo: 77, passwd: credentials.passwd } };
    case 'reconnect-future-zxid':
      return { session: credentials, lastZxidSeen: 2 ** 52 };
    default:
      return undefined;
  }
}

/** A closing session's ephemerals are deleted in the order of a hash set; their events come in that order. */
function sortLastEvents(frames: readonly CanonicalFrame[]): readonly CanonicalFrame[] {
  const last = frames.at(-1);
  if (last === undefined || !('xid' in last)) return frames;
  let from = frames.length - 1;
  while (from > 0 && 'event' in (frames[from - 1] as CanonicalFrame)) from--;
  const key = (frame: CanonicalFrame): string => JSON.stringify(frame);
  const events = frames.slice(from, -1).sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return [...frames.slice(0, from), ...events, last];
}
