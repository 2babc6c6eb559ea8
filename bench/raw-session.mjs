// A session made to be one of ten thousand: it can ping, watch, lose its connection and come back.
import { connect } from 'node:net';
import {
  JuteReader,
  JuteWriter,
  readConnectResponse,
  writeConnectRequest,
} from '@meerkat/protocol';

const exists = 3;
const create = 1;
const ping = 11;
const setWatches = 101;
const closeSession = -11;

/** All sockets of a process read into it: Node reads and calls back in one go. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);

export class RawSession {
  #port;
  #timeoutMs;
  /** @type {import('node:net').Socket | undefined} */
  #socket;
  #partial = Buffer.alloc(0);
  #isConnected = false;
  #xid = 1;
  /** Called with each answer, in order. @type {((errorCode: number) => void)[]} */
  #waiting = [];
  /** @type {{ hi: number, lo: number, password: Uint8Array }} */
  #identity = { hi: 0, lo: 0, password: new Uint8Array(16) };
  #lastZxid = 0;
  /** @type {(() => void) | undefined} */
  #onConnected;
  /** Called with each watch event. @type {() => void} */
  onEvent = () => {};
  /** Whether the server has refused to go on with the session. */
  hasExpired = false;

  /**
   * @param {number} port
   * @param {number} timeoutMs
   */
  constructor(port, timeoutMs) {
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  /** Opens the session, or goes on with it. @returns {Promise<void>} */
  connect() {
    return new Promise((resolve, reject) => {
      this.#onConnected = resolve;
      this.#isConnected = false;
      this.#partial = Buffer.alloc(0);
      const socket = connect({
        port: this.#port,
        host: '127.0.0.1',
        noDelay: true,
        onread: {
          buffer: readBuffer,
          callback: (length) => {
            this.#onBytes(readBuffer.subarray(0, length));
            return true;
          },
        },
      });
      this.#socket = socket;
      socket.once('error', reject);
      socket.once('close', () =>
        reject(new Error('Cannot go on: the server closed the connection')),
      );
      socket.once('connect', () => this.#handshake());
    });
  }

  /** Cuts the connection; the session lives on. */
  cut() {
    this.#waiting = [];
    this.#isConnected = false;
    this.#socket?.destroy();
  }

  /** Says that the session lives, if it has a connection. */
  ping() {
    if (this.#isConnected) this.#send(-2, ping, () => {});
  }

  /** Watches a path, whether it exists or not. @param {string} path */
  watch(path) {
    return this.#call(exists, (writer) => {
      writer.writeString(path);
      writer.writeBoolean(true);
    });
  }

  /** Creates an ephemeral znode. @param {string} path */
  createEphemeral(path) {
    return this.#call(create, (writer) => {
      writer.writeString(path);
      writer.writeInt(0);
      writer.writeInt(1);
      writer.writeInt(31);
      writer.writeString('world');
      writer.writeString('anyone');
      writer.writeInt(1);
    });
  }

  /** Sets data watches again after a reconnection. @param {readonly string[]} paths */
  rearm(paths) {
    const done = this.#answer();
    this.#send(-8, setWatches, (writer) => {
      writer.writeLongFromDouble(this.#lastZxid);
      writer.writeInt(0);
      // They were set by exists on paths that are not there: that is the second list.
      writer.writeInt(paths.length);
      for (const path of paths) writer.writeString(path);
      writer.writeInt(0);
    });
    return done;
  }

  /** Ends the session. */
  close() {
    this.#send(this.#xid++, closeSession, () => {});
    this.#socket?.end();
  }

  /**
   * @param {number} type
   * @param {(writer: JuteWriter) => void} writeRecord
   */
  #call(type, writeRecord) {
    const done = this.#answer();
    this.#send(this.#xid++, type, writeRecord);
    return done;
  }

  /** @returns {Promise<number>} the error code of the answer to the request sent next */
  #answer() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * @param {number} xid
   * @param {number} type
   * @param {(writer: JuteWriter) => void} writeRecord
   */
  #send(xid, type, writeRecord) {
    const writer = new JuteWriter(64);
    const start = writer.beginFrame();
    writer.writeInt(xid);
    writer.writeInt(type);
    writeRecord(writer);
    writer.endFrame(start);
    this.#socket?.write(writer.written());
  }

  #handshake() {
    const writer = new JuteWriter(64);
    const start = writer.beginFrame();
    writeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: this.#lastZxid,
      timeOut: this.#timeoutMs,
      sessionIdHi: this.#identity.hi,
      sessionIdLo: this.#identity.lo,
      passwd: this.#identity.password,
      readOnly: false,
    });
    writer.endFrame(start);
    this.#socket?.write(writer.written());
  }

  /** @param {Buffer} chunk */
  #onBytes(chunk) {
    let bytes = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const length = bytes.readInt32BE(0);
      this.#onFrame(new JuteReader(bytes, 4, 4 + length));
      bytes = bytes.subarray(4 + length);
    }
    this.#partial = Buffer.from(bytes);
  }

  /** @param {JuteReader} reader */
  #onFrame(reader) {
    if (!this.#isConnected) {
      const { timeOut, sessionIdHi, sessionIdLo, passwd } = readConnectResponse(reader);
      this.hasExpired = timeOut <= 0;
      this.#identity = { hi: sessionIdHi, lo: sessionIdLo, password: Buffer.from(passwd ?? []) };
      this.#isConnected = true;
      this.#onConnected?.();
      return;
    }
    const xid = reader.readInt();
    const zxid = reader.readLongAsDouble();
    if (zxid > 0) this.#lastZxid = zxid;
    if (xid === -1) this.onEvent();
    else if (xid !== -2) this.#waiting.shift()?.(reader.readInt());
  }
}
