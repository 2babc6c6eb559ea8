import { assert, JuteError, JuteWriter, type Zxid } from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import { SnapshotBody } from '../storage/snapshot-body.ts';
import type { SnapshotCursor, SnapshotSource, SnapshotTarget } from '../storage/snapshot-format.ts';

/**
 * What follows a SNAP packet: the whole state of the leader, while it goes on changing. Owns the order of
 * the parts; refuses to know of packets and sockets. Wire format: do not change
 * (`LearnerHandler.run`, `Learner.syncWithLeader`, `SerializeUtils.serializeSnapshot`).
 *
 * ```
 * stream = sessions, ACLs, nodes, ustring "/"      as in a snapshot file, without header and seals
 *          ustring "BenWasHere"
 * ```
 */

/** ustring "BenWasHere". */
const signature: Uint8Array = Uint8Array.of(
  0,
  0,
  0,
  10,
  66,
  101,
  110,
  87,
  97,
  115,
  72,
  101,
  114,
  101,
);

/**
 * Writes the stream in slices. The state is as old as the object or younger, part by part: the learner must
 * be sent every transaction after the one that was the last when the object was made.
 */
export class SnapshotSender {
  readonly #source: SnapshotSource;
  readonly #cursor: SnapshotCursor;
  readonly #writer: JuteWriter = new JuteWriter();
  /** Bytes at the beginning of the writer that were handed out already. */
  #handedOut = 0;
  #stage: 'head' | 'nodes' | 'end' = 'head';

  constructor(source: SnapshotSource) {
    this.#source = source;
    this.#cursor = source.openCursor();
  }

  /**
   * The next slice, at most `maxBytes` long, in an array that is the caller's; null after the last one. A
   * slice may end anywhere, inside a znode too.
   */
  next(maxBytes: number): Uint8Array | null {
    assert(maxBytes > 0, 'a slice of nothing');
    const writer = this.#writer;
    while (this.#stage !== 'end' && writer.length - this.#handedOut < maxBytes) this.#write();
    const left = writer.length - this.#handedOut;
    if (left === 0) return null;
    const count = Math.min(left, maxBytes);
    const slice = writer.bytes.slice(this.#handedOut, this.#handedOut + count);
    this.#handedOut += count;
    if (this.#handedOut === writer.length) {
      writer.clear();
      this.#handedOut = 0;
    }
    return slice;
  }

  /** Ends the stream early, or after its end. */
  close(): void {
    this.#cursor.close();
    this.#stage = 'end';
    this.#writer.clear();
    this.#handedOut = 0;
  }

  #write(): void {
    const writer = this.#writer;
    if (this.#stage === 'head') {
      this.#source.writeSessions(writer);
      this.#source.writeAcls(writer);
      this.#stage = 'nodes';
    } else if (!this.#cursor.writeNext(writer)) {
      writer.writeString('/');
      writer.writeBytes(signature, 0, signature.length);
      this.#cursor.close();
      this.#stage = 'end';
    }
  }
}

/** Bytes that are added at a time to an item of which a part had arrived. */
const heldStepBytes = 4096;

/**
 * Reads the stream into a target, from bytes that arrive cut anywhere. Besides what the target holds it
 * keeps one item of which only a part has arrived, or the table of ACLs, until its end is there.
 */
export class SnapshotReceiver {
  readonly #target: SnapshotTarget;
  readonly #zxid: Zxid;
  readonly #body: SnapshotBody;
  readonly #streamBytesMax: number;
  /** `#held[0, #heldBytes)` is the beginning of an item that is not all there. */
  #held: Uint8Array = new Uint8Array(2 * heldStepBytes);
  #heldBytes = 0;
  #signatureBytes = 0;
  #takenBytes = 0;
  #failed = false;

  /**
   * Empties the target.
   *
   * @param zxid that of the SNAP packet: the last transaction that is whole in the snapshot
   * @param itemBytesMax the longest string or data that is believed: `jute.maxbuffer` and its extra size
   * @param streamBytesMax the longest snapshot that is believed
   */
  constructor(
    target: SnapshotTarget,
    zxid: Zxid,
    itemBytesMax: number,
    streamBytesMax: number = ensembleLimits.snapshotStreamBytesMax,
  ) {
    this.#streamBytesMax = streamBytesMax;
    this.#target = target;
    this.#zxid = zxid;
    this.#body = new SnapshotBody(target, itemBytesMax);
    target.reset();
  }

  /** Whether the stream has ended well and the target is complete. */
  get isDone(): boolean {
    return this.#signatureBytes === signature.length;
  }

  /** Whether it is longer, or takes longer, than any snapshot that is one. */
  isBeyondBounds(elapsedMs: number): boolean {
    return (
      this.#takenBytes > this.#streamBytesMax || elapsedMs > ensembleLimits.snapshotStreamMsMax
    );
  }

  /** Znodes received so far. */
  get nodeCount(): number {
    return this.#body.nodeCount;
  }

  /**
   * Takes `bytes[start, end)`, which may be reused afterwards.
   *
   * @returns how many bytes were taken: all, unless the stream ended inside them
   * @throws JuteError when this is no snapshot; the target holds a part of it then: reset it
   */
  push(bytes: Uint8Array, start: number, end: number): number {
    assert(!this.#failed, 'bytes after a snapshot that was none');
    this.#failed = true;
    let at = start;
    while (at < end && !this.#body.isDone) {
      at = this.#heldBytes > 0 ? this.#complete(bytes, at, end) : this.#takeWhole(bytes, at, end);
    }
    if (this.#body.isDone) at = this.#takeSignature(bytes, at, end);
    this.#failed = false;
    this.#takenBytes += at - start;
    return at - start;
  }

  /** Takes what is whole and keeps the rest. */
  #takeWhole(bytes: Uint8Array, start: number, end: number): number {
    const body = this.#body;
    body.take(bytes, start, end);
    if (!body.isDone) this.#hold(bytes, body.position, end);
    return body.isDone ? body.position : end;
  }

  /** Adds bytes to the item that is not all there. */
  #complete(bytes: Uint8Array, start: number, end: number): number {
    const body = this.#body;
    const before = this.#heldBytes;
    const wanted = Math.max(heldStepBytes, body.neededBytes - before);
    const added = Math.min(end - start, wanted);
    this.#hold(bytes, start, start + added);
    body.take(this.#held, 0, this.#heldBytes);
    if (body.position === 0) return start + added;
    // The item ended among the bytes just added: what is behind it is taken from where it came from.
    assert(body.position > before, 'an item ended before its end', body.position, before);
    this.#heldBytes = 0;
    return start + body.position - before;
  }

  #hold(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#heldBytes + end - start;
    if (length > this.#held.length) {
      const grown = new Uint8Array(2 * length);
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(bytes.subarray(start, end), this.#heldBytes);
    this.#heldBytes = length;
  }

  #takeSignature(bytes: Uint8Array, start: number, end: number): number {
    if (this.isDone) return start;
    let at = start;
    for (; at < end && !this.isDone; at++) {
      if (bytes[at] === signature[this.#signatureBytes]) this.#signatureBytes++;
      else throw new JuteError('Cannot take a snapshot: its signature is not "BenWasHere"');
    }
    if (this.isDone) this.#target.finishLoad(this.#zxid, null);
    return at;
  }
}
