import { decodeUtf8, JuteWriter, utf8 } from '@meerkat/protocol';
import { electionLimits } from '../limits.ts';
import type { NetworkAddress } from '../ports.ts';
import { bracketed, isWildcardHost } from '../quorum/host-text.ts';

/**
 * The first message of a stream to the election port (`QuorumCnxManager.startConnection`):
 *
 *     long  protocolVersion  -65536 with one address, -65535 with several; 0 or more is the sender's id, and nothing follows
 *     long  sid              who dials; Long.MAX_VALUE is an observer without an id
 *     int   length           1 to 2048
 *     bytes addresses        host:electionPort, several with | between them, UTF-8
 */
export interface InitialMessage {
  /** The sender's id, null for an observer that has none. */
  readonly sid: number | null;
  /** Where the sender says it can be dialled; without addresses that mean any interface [ZOOKEEPER-2164]. */
  readonly addresses: readonly NetworkAddress[];
}

/** The message, to be sent in one write: Java reads the addresses with one read. */
export function encodeInitialMessage(
  sid: number,
  addresses: readonly NetworkAddress[],
  multiAddressEnabled: boolean,
): Uint8Array {
  const sent = multiAddressEnabled ? addresses : addresses.slice(0, 1);
  const text = utf8(sent.map(({ host, port }) => `${bracketed(host)}:${port}`).join('|'));
  const writer = new JuteWriter(20 + text.length);
  writer.writeLongFromDouble(multiAddressEnabled ? protocolVersions.several : protocolVersions.one);
  writer.writeLongFromDouble(sid);
  writer.writeBuffer(text);
  return writer.toBytes();
}

/** Reads the first message of a stream, in whatever pieces it comes. Owns what has come of it. */
export class InitialMessageReader {
  readonly #bytes = new Uint8Array(headerBytes + electionLimits.helloAddressBytesMax);
  readonly #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #needed = 8;
  /** The message once it has come whole. */
  message: InitialMessage | null = null;
  /** Why the bytes are no such message. */
  malformed: string | null = null;

  /**
   * Takes the next bytes, and stops behind the message.
   *
   * @returns where it stopped
   */
  push(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (this.message === null && this.malformed === null && at < end) {
      const taken = Math.min(end - at, this.#needed - this.#length);
      this.#bytes.set(bytes.subarray(at, at + taken), this.#length);
      this.#length += taken;
      at += taken;
      if (this.#length === this.#needed) this.#goOn();
    }
    return at;
  }

  /** All that was needed has come: finds out what else is. */
  #goOn(): void {
    const version = this.#longAt(0);
    if (this.#length === 8) {
      if (version >= 0) this.#finish(this.#sidAt(0), []);
      else if (version === protocolVersions.one || version === protocolVersions.several) {
        this.#needed = headerBytes;
      } else this.malformed = `its protocol version is ${version}`;
      return;
    }
    if (this.#length === headerBytes) {
      const length = this.#view.getInt32(16);
      if (length > 0 && length <= electionLimits.helloAddressBytesMax) this.#needed += length;
      else this.malformed = `its addresses have ${length} bytes`;
      return;
    }
    this.#readAddresses(decodeUtf8(this.#bytes, headerBytes, this.#length));
  }

  #readAddresses(text: string): void {
    const addresses: NetworkAddress[] = [];
    for (const part of text.split('|')) {
      const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(part);
      const host = match?.[1] ?? match?.[2] ?? '';
      const port = Number(match?.[3]);
      if (match === null || port > 65_535) {
        this.malformed = 'an address in it is none';
        return;
      }
      if (!isWildcardHost(host)) addresses.push({ host, port });
    }
    this.#finish(this.#sidAt(8), addresses);
  }

  #finish(sid: number | null, addresses: readonly NetworkAddress[]): void {
    if (sid !== null && !(Number.isSafeInteger(sid) && sid >= 0)) {
      this.malformed = `its id is ${sid}`;
    } else {
      this.message = { sid, addresses };
    }
  }

  #sidAt(at: number): number | null {
    const isMax = this.#view.getUint32(at) === 0x7fffffff && this.#view.getInt32(at + 4) === -1;
    return isMax ? null : this.#longAt(at);
  }

  #longAt(at: number): number {
    return this.#view.getInt32(at) * 4294967296 + this.#view.getUint32(at + 4);
  }
}

const protocolVersions = { one: -65536, several: -65535 } as const;
const headerBytes = 20;
