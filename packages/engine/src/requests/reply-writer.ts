import { ErrorCode, type JuteWriter } from '@meerkat/protocol';
import type { Network } from '../ports.ts';
import type { ClientConnection } from './client-connection.ts';
import { OutboxPool } from './outbox.ts';
import type { ReplicaState } from './replica-state.ts';

/**
 * Replies on their way out: collected per connection, sent with one order per connection and turn.
 *
 * Owns the outboxes and the list of connections that have something to say. Refuses to queue
 * without bound: a client that does not read is cut (`unsentBytesMax`).
 */
export class ReplyWriter {
  /** Frames sent since the start: `Sent` of `srvr`. */
  framesSent = 0;
  /** Largest, smallest and last reply, bytes. */
  readonly sizes = { last: -1, min: -1, max: -1 };
  /** Answers that were too long for a client and became an error. */
  oversizedAnswers = 0;
  readonly #state: ReplicaState;
  readonly #network: Network;
  readonly #pool = new OutboxPool();
  /** Bytes of events and of answers to writes since the last flush. */
  #collectedBytes = 0;
  #speaking: ClientConnection[] = [];
  #flushing: ClientConnection[] = [];
  readonly #onTooSlow: (connection: ClientConnection) => void;

  constructor(
    state: ReplicaState,
    network: Network,
    onTooSlow: (connection: ClientConnection) => void,
  ) {
    this.#state = state;
    this.#network = network;
    this.#onTooSlow = onTooSlow;
  }

  /** Where the replies of this turn to a connection are written. */
  outbox(connection: ClientConnection): JuteWriter {
    if (connection.outbox === null) {
      connection.outbox = this.#pool.take();
      this.#speaking.push(connection);
    }
    return connection.outbox;
  }

  /** Begins a reply: a frame with its ReplyHeader. Returns what `end` needs. */
  begin(writer: JuteWriter, xid: number, zxid: number): number {
    const frame = writer.reserve(replyHeadBytes);
    const view = writer.view;
    view.setInt32(frame + 4, xid);
    view.setInt32(frame + 8, Math.floor(zxid / two32));
    view.setInt32(frame + 12, zxid | 0);
    return frame;
  }

  /**
   * Ends the reply begun at `frame`. With an error the body is dropped; so is the body of a read that
   * is too long for a client, which gets MARSHALLINGERROR for this request and keeps its connection.
   * A write that was applied is never told to have failed.
   *
   * @returns the error that was sent
   */
  end(writer: JuteWriter, frame: number, error: ErrorCode, isWrite = false): ErrorCode {
    const bytesMax = this.#state.limits.frameBytesMax + replyBytesMore;
    let sent = error;
    if (sent !== ErrorCode.ok) {
      writer.length = frame + replyHeadBytes;
    } else if (writer.length - frame - 4 > bytesMax && !isWrite) {
      writer.length = frame + replyHeadBytes;
      sent = ErrorCode.marshallingError;
      this.oversizedAnswers++;
    }
    const length = writer.length - frame - 4;
    writer.view.setInt32(frame, length);
    writer.view.setInt32(frame + 16, sent);
    this.#count(length);
    return sent;
  }

  /** A reply that is a header and nothing else. */
  header(connection: ClientConnection, xid: number, zxid: number, error: ErrorCode): void {
    const writer = this.outbox(connection);
    this.end(writer, this.begin(writer, xid, zxid), error);
  }

  /** Forgets what was counted, as `srst` asks. */
  reset(): void {
    this.framesSent = 0;
    this.oversizedAnswers = 0;
    this.sizes.last = -1;
    this.sizes.min = -1;
    this.sizes.max = -1;
  }

  /**
   * Notes that so many bytes more wait in an outbox that nothing holds back. One turn may have to tell
   * thousands of clients of hundreds of changes: what has been collected leaves in between.
   */
  collected(bytes: number): void {
    this.#collectedBytes += bytes;
    if (this.#collectedBytes > this.#state.limits.collectedBytesMax) this.flush();
  }

  /** Sends what has been collected; the end of a turn. */
  flush(): void {
    this.#collectedBytes = 0;
    if (this.#speaking.length === 0) return;
    const connections = this.#speaking;
    this.#speaking = this.#flushing;
    this.#flushing = connections;
    for (const connection of connections) this.#send(connection);
    connections.length = 0;
  }

  /** Sends what one connection has to be told before it is closed. */
  sendNow(connection: ClientConnection): void {
    this.#send(connection);
  }

  /** Drops what a connection that is gone would have been told. */
  forget(connection: ClientConnection): void {
    if (connection.outbox !== null) this.#pool.giveBack(connection.outbox);
    connection.outbox = null;
  }

  #send(connection: ClientConnection): void {
    const writer = connection.outbox;
    if (writer === null) return;
    connection.outbox = null;
    const reusable = this.#network.send(connection.id, writer.bytes, 0, writer.length);
    if (reusable) this.#pool.giveBack(writer);
    else this.#onTooSlow(connection);
  }

  #count(length: number): void {
    this.framesSent++;
    const { sizes } = this;
    sizes.last = length;
    if (length > sizes.max) sizes.max = length;
    if (sizes.min === -1 || length < sizes.min) sizes.min = length;
  }
}

/** What the answer to a getData has beyond the request that wrote the data, at most: header and Stat. */
const replyBytesMore = 128;
/** Length (4) and ReplyHeader: xid (4), zxid (8), err (4). */
const replyHeadBytes = 20;
const two32 = 4294967296;
