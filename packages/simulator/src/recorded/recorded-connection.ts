import {
  FrameDecoder,
  formatLong,
  JuteReader,
  readConnectRequest,
  readConnectResponse,
  readReplyHeader,
  SpecialXid,
} from '@meerkat/protocol';
import {
  type CheckerHost,
  ConnectionChecker,
  type SentRequest,
} from '../ensemble/connection-checker.ts';
import type { SessionRecord } from '../ensemble/session-record.ts';
import { Violation } from '../ensemble/violation.ts';
import { readDigestId, readSentRequest } from './recorded-requests.ts';

/** What a recorded connection asks of the history that it is part of. */
export interface ConnectionHost extends CheckerHost {
  /** The session with this name, '' for a new one. */
  sessionOf(name: string): SessionRecord;
  /** A client shows that everything up to `zxid` is committed. */
  showZxid(zxid: number): void;
  /** A client was given a session. */
  showSession(name: string, record: SessionRecord): void;
}

/**
 * One connection as it was recorded. Reads what its client asked for from its bytes, and passes them on, frame by
 * frame, to the checker that watches connections in the simulator.
 */
export class RecordedConnection {
  readonly name: string;
  readonly #host: ConnectionHost;
  readonly #toServer = new FrameDecoder(2 ** 31 - 1);
  readonly #toClient = new FrameDecoder(2 ** 31 - 1);
  #checker: ConnectionChecker | null = null;
  #request: SentRequest | undefined;
  #isEnded = false;

  constructor(name: string, host: ConnectionHost) {
    this.name = name;
    this.#host = host;
  }

  /** Whether a server serves its session over it. */
  get isServed(): boolean {
    return !this.#isEnded && this.#checker?.isEstablished === true;
  }

  onSent(bytes: Uint8Array): void {
    this.#eachFrame(this.#toServer, bytes, (frame) => this.#sent(frame));
  }

  onReceived(bytes: Uint8Array): void {
    this.#eachFrame(this.#toClient, bytes, (frame) => this.#received(frame));
  }

  onEnded(): void {
    this.#isEnded = true;
    this.#checker?.onEnded();
  }

  /** @throws Violation when something was not answered, or not told */
  checkEnd(): void {
    if (this.#checker === null || this.#checker.session.isToldExpired) return;
    const { unanswered } = this.#checker;
    if (unanswered > 0) {
      throw new Violation('everything is answered', `${this.name} waits for ${unanswered}`);
    }
    this.#checker.checkAllEvents();
  }

  #sent(frame: Uint8Array): void {
    let checker = this.#checker;
    if (checker === null) {
      const { sessionIdHi, sessionIdLo } = readConnectRequest(new JuteReader(frame));
      const isNew = sessionIdHi === 0 && sessionIdLo === 0;
      const session = this.#host.sessionOf(isNew ? '' : formatLong(sessionIdHi, sessionIdLo));
      checker = new ConnectionChecker(this.name, session, this.#host, () => this.#request);
      this.#checker = checker;
    } else {
      const reader = new JuteReader(frame);
      const xid = reader.readInt();
      const type = reader.readInt();
      if (xid === SpecialXid.auth) checker.session.digestId = readDigestId(reader);
      else this.#request = xid < 0 ? undefined : readSentRequest(type, reader);
    }
    checker.onSent(framed(frame));
  }

  #received(frame: Uint8Array): void {
    const checker = this.#checker;
    if (checker === null) {
      throw new Violation('servers answer', `${this.name} was told something before it asked`);
    }
    if (checker.isEstablished) {
      const { zxid } = readReplyHeader(new JuteReader(frame));
      if (zxid > 0) this.#host.showZxid(zxid);
      checker.onReceived(framed(frame));
      return;
    }
    const { sessionIdHi, sessionIdLo, timeOut } = readConnectResponse(new JuteReader(frame));
    const name = formatLong(sessionIdHi, sessionIdLo);
    if (timeOut > 0) this.#host.showSession(name, checker.session);
    checker.onReceived(framed(frame));
  }

  #eachFrame(decoder: FrameDecoder, bytes: Uint8Array, take: (frame: Uint8Array) => void): void {
    decoder.push(bytes, 0, bytes.length, {
      onFrame(within, start, end) {
        take(within.slice(start, end));
        return true;
      },
      onBadLength: (length) => {
        throw new Violation('frames are whole', `${this.name}: current length is ${length}`);
      },
    });
  }
}

/** A frame with its length before it, as it was on the wire. */
function framed(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + frame.length);
  new DataView(bytes.buffer).setInt32(0, frame.length);
  bytes.set(frame, 4);
  return bytes;
}
