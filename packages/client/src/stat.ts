import { JuteError, type JuteReader } from '@meerkat/protocol';
import type { SessionId, Zxid } from './ids.ts';

/** Bytes of a Stat on the wire. */
export const statBytes = 68;

/** A Stat as a plain object: what `Stat.toObject` returns. */
export interface StatFields {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly ctimeMs: number;
  readonly mtimeMs: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: SessionId;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: Zxid;
}

/**
 * What ZooKeeper knows about a znode. Its fields are read from the bytes of the reply when they are asked
 * for, so that a reader who only wants the data pays nothing for them.
 */
export class Stat {
  readonly #bytes: Uint8Array;
  readonly #at: number;

  /** The Stat whose wire form starts at `bytes[at]`. */
  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The zxid of the transaction that created the znode. */
  get czxid(): Zxid {
    return this.#long(0);
  }

  /** The zxid of the transaction that last set its data. */
  get mzxid(): Zxid {
    return this.#long(8);
  }

  /** When it was created, ms since 1970 by the server's clock. */
  get ctimeMs(): number {
    return this.#time(16);
  }

  /** When its data was last set, ms since 1970 by the server's clock. */
  get mtimeMs(): number {
    return this.#time(24);
  }

  /** How often its data has been set. */
  get version(): number {
    return this.#int(32);
  }

  /** How often a child has been created or deleted. */
  get cversion(): number {
    return this.#int(36);
  }

  /** How often its ACL has been set. */
  get aversion(): number {
    return this.#int(40);
  }

  /** The session that owns it; 0 when it is not ephemeral. */
  get ephemeralOwner(): SessionId {
    return this.#long(44);
  }

  /** Bytes of its data. */
  get dataLength(): number {
    return this.#int(52);
  }

  /** How many children it has. */
  get numChildren(): number {
    return this.#int(56);
  }

  /** The zxid of the transaction that last created or deleted a child. */
  get pzxid(): Zxid {
    return this.#long(60);
  }

  /** The same Stat on bytes of its own: to keep for long, when the reply it came with was much larger. */
  copy(): Stat {
    return new Stat(this.#bytes.slice(this.#at, this.#at + statBytes), 0);
  }

  /** All fields, as a plain object. */
  toObject(): StatFields {
    const { czxid, mzxid, ctimeMs, mtimeMs, version, cversion, aversion } = this;
    const { ephemeralOwner, dataLength, numChildren, pzxid } = this;
    const first = { czxid, mzxid, ctimeMs, mtimeMs, version, cversion, aversion };
    return { ...first, ephemeralOwner, dataLength, numChildren, pzxid };
  }

  /** All fields for JSON: 64-bit ids as ZooKeeper prints them, `0x` and hexadecimal digits. */
  toJSON(): Record<string, number | string> {
    const fields: Record<string, number | string> = {};
    for (const [name, value] of Object.entries<number | bigint>({ ...this.toObject() })) {
      fields[name] = typeof value === 'bigint' ? hexadecimal(value) : value;
    }
    return fields;
  }

  #int(offset: number): number {
    const at = this.#at + offset;
    const bytes = this.#bytes;
    const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
    return high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  }

  #long(offset: number): bigint {
    return (BigInt(this.#int(offset)) << 32n) | BigInt(this.#int(offset + 4) >>> 0);
  }

  #time(offset: number): number {
    return this.#int(offset) * 4294967296 + (this.#int(offset + 4) >>> 0);
  }
}

// Node's name for the method that shows an object in `console.log`: the fields are getters, it would show none.
Object.defineProperty(Stat.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: Stat): StatFields {
    return this.toObject();
  },
});

function hexadecimal(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** Takes a Stat from a reply: remembers where it is. */
export function takeStat(reader: JuteReader): Stat {
  if (reader.remaining < statBytes) {
    throw new JuteError(`Cannot read a Stat: current remainder is ${reader.remaining} bytes`);
  }
  const stat = new Stat(reader.bytes, reader.position);
  reader.position += statBytes;
  return stat;
}
