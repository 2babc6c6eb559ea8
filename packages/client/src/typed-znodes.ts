import type { CreateOptions, VersionOptions, WatchOptions } from './call-options.ts';
import { type Codec, CodecError } from './codecs.ts';
import { BadVersionError, NoNodeError } from './errors.ts';
import type { NodeData } from './operations/data.ts';
import type { Data } from './operations/values.ts';
import type { RequestOptions } from './request.ts';
import type { Stat } from './stat.ts';

/** A znode's value and Stat. */
export interface ValueAndStat<Value> {
  readonly value: Value;
  readonly stat: Stat;
}

/** What typed znodes ask of a client. */
export interface ZnodeAccess {
  create(path: string, value?: Data, options?: CreateOptions): Promise<string>;
  getData(path: string, options?: WatchOptions): Promise<NodeData>;
  setData(path: string, value: Data, options?: VersionOptions): Promise<Stat>;
}

/**
 * A client's znodes whose data is of one kind: `zk.typed(codec)` makes it. Its calls are those of the client, with
 * values in the place of bytes; besides what those throw they throw `CodecError`, which names the path.
 */
export class TypedZnodes<Value, Input = Value> {
  /** How values become bytes. */
  readonly codec: Codec<Value, Input>;
  readonly #zk: ZnodeAccess;

  constructor(zk: ZnodeAccess, codec: Codec<Value, Input>) {
    this.#zk = zk;
    this.codec = codec;
  }

  /** As `ZooKeeper.create`. */
  async create(path: string, value: Input, options?: CreateOptions): Promise<string> {
    return this.#zk.create(path, await this.encode(path, value), options);
  }

  /** As `ZooKeeper.getData`. */
  async getData(path: string, options?: WatchOptions): Promise<ValueAndStat<Value>> {
    const { data, stat } = await this.#zk.getData(path, options);
    return { value: await this.decode(path, data), stat };
  }

  /** As `getData`, with null for a znode that does not exist. A watch is set only on one that does. */
  async find(path: string, options?: WatchOptions): Promise<ValueAndStat<Value> | null> {
    try {
      return await this.getData(path, options);
    } catch (error) {
      if (error instanceof NoNodeError) return null;
      throw error;
    }
  }

  /** As `ZooKeeper.setData`. */
  async setData(path: string, value: Input, options?: VersionOptions): Promise<Stat> {
    return this.#zk.setData(path, await this.encode(path, value), options);
  }

  /**
   * Reads a value, changes it and writes it back, anew whenever somebody else has written in between: `change` may be called
   * several times, and no other write is lost. Options hold for each call by itself.
   *
   * @returns what was written, and its Stat
   * @throws ConnectionLossError when the connection was lost on the way: with `mayHaveHappened` it may have been written
   */
  async update(
    path: string,
    change: (value: Value) => Input | Promise<Input>,
    options?: RequestOptions,
  ): Promise<ValueAndStat<Input>> {
    for (;;) {
      const { value, stat } = await this.getData(path, options);
      const changed = await change(value);
      try {
        const written = await this.setData(path, changed, { ...options, version: stat.version });
        return { value: changed, stat: written };
      } catch (error) {
        if (!(error instanceof BadVersionError)) throw error;
      }
    }
  }

  /** The bytes of a value, for a `multi`. @throws CodecError */
  async encode(path: string, value: Input): Promise<Data> {
    try {
      return await this.codec.encode(value);
    } catch (cause) {
      throw new CodecError({ doing: 'encode', path, cause });
    }
  }

  /** The value of bytes, of a `multiRead` say. @throws CodecError */
  async decode(path: string, data: Uint8Array | null): Promise<Value> {
    try {
      return await this.codec.decode(data);
    } catch (cause) {
      throw new CodecError({ doing: 'decode', path, data, cause });
    }
  }
}
