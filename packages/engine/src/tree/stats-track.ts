import { decodeUtf8, utf8 } from '@meerkat/protocol';

/**
 * The text of a quota's znodes: `count=4,bytes=5=;byteHardLimit=10;countHardLimit=10`. Source:
 * ZooKeeper's `StatsTrack.java`; the stray `=` lets parsers of before 3.7 skip the rest.
 *
 * Unlike Java, which stops with an exception that ends its request thread, a pair that does not parse
 * is passed over: any client may write such text.
 */
export class StatsTrack {
  readonly #values = new Map<string, number>();

  /** What the bytes of a limits or stats znode say; null says nothing. */
  static parse(data: Uint8Array | null): StatsTrack {
    const track = new StatsTrack();
    if (data === null) return track;
    for (const pair of textOf(data).split(/[,;]+/)) {
      const [key, value] = pair.split('=');
      if (key === undefined || key === '' || value === undefined) continue;
      const number = value === '' ? -1 : Number(value);
      if (/^[+-]?\d*$/.test(value) && Number.isSafeInteger(number)) track.#values.set(key, number);
    }
    return track;
  }

  /** Znodes: a soft limit, or how many there are. -1 is none. */
  get count(): number {
    return this.#get('count');
  }

  set count(value: number) {
    this.#values.set('count', value);
  }

  /** Bytes of data: a soft limit, or how many there are. -1 is none. */
  get bytes(): number {
    return this.#get('bytes');
  }

  set bytes(value: number) {
    this.#values.set('bytes', value);
  }

  /** Znodes that may not be exceeded, -1 for none. */
  get countHardLimit(): number {
    return this.#get('countHardLimit');
  }

  set countHardLimit(value: number) {
    this.#values.set('countHardLimit', value);
  }

  /** Bytes that may not be exceeded, -1 for none. */
  get byteHardLimit(): number {
    return this.#get('byteHardLimit');
  }

  set byteHardLimit(value: number) {
    this.#values.set('byteHardLimit', value);
  }

  /** Count and bytes first, then what else there is in the order of its names. */
  toString(): string {
    const others = [...this.#values.keys()].filter((key) => key !== 'count' && key !== 'bytes');
    const rest = others.sort().map((key) => `;${key}=${this.#values.get(key)}`);
    return `count=${this.count},bytes=${this.bytes}${rest.length === 0 ? '' : '='}${rest.join('')}`;
  }

  /** The text as a znode's data. */
  toBytes(): Uint8Array {
    return utf8(this.toString());
  }

  #get(key: string): number {
    return this.#values.get(key) ?? -1;
  }
}

function textOf(data: Uint8Array): string {
  try {
    return decodeUtf8(data, 0, data.length);
  } catch {
    return '';
  }
}
