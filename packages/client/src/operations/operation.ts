import type { JuteReader, JuteWriter } from '@meerkat/protocol';
import type { WatchKind } from '../watches.ts';

/**
 * One operation of the protocol: how its request is written and its reply read. `Body` is what the request
 * carries besides the path, `Result` what the caller gets.
 */
export interface Operation<Body, Result> {
  /** The wire code, one of `OpCode`. */
  readonly opcode: number;
  /** For messages, as in "get the data of". */
  readonly doing: string;
  /**
   * Refuses a body that no server takes.
   * @throws ZooKeeperError that the caller gets
   */
  validate?(body: Body, path: string): void;
  /** Writes the request's record. */
  encode(writer: JuteWriter, serverPath: string, body: Body): void;
  /**
   * Reads the reply's record.
   * @throws JuteError when the bytes are not one; the connection is dropped
   * @throws ZooKeeperError that the caller gets
   */
  decode(reader: JuteReader, context: ReplyContext<Body>): Result;
  /** The list a watcher goes to when the operation succeeds. */
  readonly watchKind?: WatchKind;
  /** True when nothing is written: it may be sent again when nobody knows whether it was answered. */
  readonly isRead?: boolean;
  /** True when absence is an answer: NONODE becomes a result, and a watch is set on the absent znode. */
  readonly absent?: boolean;
}

/** What a decoder may know of the request. */
export interface ReplyContext<Body> {
  /** The path as the caller gave it. */
  readonly path: string;
  readonly body: Body;
  /** The prefix that replies carry and callers do not see; '' when there is none. */
  readonly chroot: string;
}

/** The body of a request that carries nothing but a path and whether to watch. */
export type WatchFlag = boolean;

/** Decodes a reply without a record. */
export function decodeNothing(): void {}
