import { JuteError, JuteReader } from '@meerkat/protocol';
import { snapshotAclTableBytesMax } from '../limits.ts';
import { nodeTailBytes, type SnapshotTarget, sessionBytes } from './snapshot-format.ts';

/**
 * The part of a snapshot that a file and a stream to a learner have in common: sessions, ACLs and
 * znodes, up to the string "/" behind them. Owns where in these it stands; refuses to own bytes, so that
 * whoever has them, all or a few at a time, gives them to `take`.
 */
export class SnapshotBody {
  /** How far the last `take` came, also one that threw: the next byte of `bytes` not taken. */
  position = 0;
  /** How many bytes from `position` on the next `take` needs, at least, to come any further. */
  neededBytes = 4;
  /** Sessions taken. */
  sessionCount = 0;
  /** Znodes taken. */
  nodeCount = 0;

  readonly #target: SnapshotTarget;
  readonly #itemBytesMax: number;
  readonly #reader: JuteReader = new JuteReader();
  #stage: Stage = Stage.sessionCount;
  #sessionsLeft = 0;
  #acls: AclScan | null = null;

  /** @param itemBytesMax the longest string or data that is believed */
  constructor(target: SnapshotTarget, itemBytesMax: number) {
    this.#target = target;
    this.#itemBytesMax = itemBytesMax;
  }

  /** Whether the string "/" behind the last znode was taken. */
  get isDone(): boolean {
    return this.#stage === Stage.end;
  }

  /**
   * Loads everything of `bytes[start, end)` that is there as a whole, and sets `position` behind it: to
   * `start` when there is nothing. What follows the end of the body is left.
   *
   * @throws JuteError when this is no snapshot; what was loaded stays in the target
   */
  take(bytes: Uint8Array, start: number, end: number): void {
    this.position = start;
    if (this.#stage === Stage.sessionCount) this.#takeSessionCount(bytes, end);
    if (this.#stage === Stage.sessions) this.#takeSessions(bytes, end);
    if (this.#stage === Stage.acls) this.#takeAcls(bytes, end);
    if (this.#stage === Stage.nodes) this.#takeNodes(bytes, end);
  }

  #takeSessionCount(bytes: Uint8Array, end: number): void {
    if (!this.#has(4, end)) return;
    this.#sessionsLeft = readInt(bytes, this.position);
    this.position += 4;
    this.#stage = Stage.sessions;
  }

  #takeSessions(bytes: Uint8Array, end: number): void {
    // A negative count is none, as in Java.
    for (; this.#sessionsLeft > 0; this.#sessionsLeft--) {
      if (!this.#has(sessionBytes, end)) return;
      const at = this.position;
      this.position += sessionBytes;
      const idHi = readInt(bytes, at);
      this.#target.loadSession(idHi, readInt(bytes, at + 4), readInt(bytes, at + 8));
      this.sessionCount++;
    }
    this.#stage = Stage.acls;
    this.neededBytes = 4;
  }

  /** Finds where the table ends before it is handed over as a whole. */
  #takeAcls(bytes: Uint8Array, end: number): void {
    this.#acls ??= new AclScan(this.#itemBytesMax);
    const start = this.position;
    if (!this.#acls.goOn(bytes, start, end)) {
      this.neededBytes = this.#acls.neededBytes;
      return;
    }
    this.position = start + this.#acls.length;
    this.#acls = null;
    this.#stage = Stage.nodes;
    this.neededBytes = 5;
    this.#target.loadAcls(this.#reader.reset(bytes, start, this.position));
  }

  #takeNodes(bytes: Uint8Array, end: number): void {
    const target = this.#target;
    for (;;) {
      const start = this.position;
      const pathEnd = this.#endOfCounted(bytes, start, 0, end);
      if (pathEnd < 0) return;
      if (pathEnd === start + 5 && bytes[start + 4] === slash) {
        if (this.nodeCount === 0) throw new JuteError('Cannot read a snapshot: it has no root');
        this.position = pathEnd;
        this.#stage = Stage.end;
        return;
      }
      const dataEnd = this.#endOfCounted(bytes, pathEnd, nodeTailBytes, end);
      if (dataEnd < 0) return;
      target.loadNode(bytes, start, dataEnd + nodeTailBytes);
      this.position = dataEnd + nodeTailBytes;
      this.nodeCount++;
    }
  }

  #has(count: number, end: number): boolean {
    this.neededBytes = count;
    return this.position + count <= end;
  }

  /**
   * Where the string or buffer at `at` ends; -1 when it, with `more` bytes behind it, is not all there before
   * `end`.
   */
  #endOfCounted(bytes: Uint8Array, at: number, more: number, end: number): number {
    let countedEnd = at + 4;
    if (countedEnd <= end) {
      countedEnd += checkedLength(readInt(bytes, at), this.#itemBytesMax);
      if (countedEnd + more <= end) return countedEnd;
    }
    this.neededBytes = countedEnd + more - this.position;
    return -1;
  }
}

/** Walks over an ACL table, int count and then long id and vector of ACL each, as far as it is there. */
class AclScan {
  /** Bytes of the table that were passed. */
  length = 0;

  readonly #itemBytesMax: number;
  #tableLeft = -1;
  #vectorLeft = 0;
  /** What the next length or count in the table is that of. */
  #next: AclPart = AclPart.table;

  constructor(itemBytesMax: number) {
    this.#itemBytesMax = itemBytesMax;
  }

  /** Bytes of the table up to the end of the next length or count, or to its own. */
  get neededBytes(): number {
    return this.#isPassed ? this.length : this.length + headBytesOf(this.#next);
  }

  /** Whether every length and count of the table was passed; its last string may lack its end. */
  get #isPassed(): boolean {
    return this.#next === AclPart.vector && this.#tableLeft <= 0;
  }

  /** Goes on in the table that begins at `start`. True: `length` bytes are all of it. */
  goOn(bytes: Uint8Array, start: number, end: number): boolean {
    for (;;) {
      if (this.#vectorLeft <= 0 && this.#next === AclPart.scheme) {
        this.#next = AclPart.vector;
        this.#tableLeft--;
      }
      if (this.#isPassed) return start + this.length <= end;
      const at = start + this.neededBytes;
      if (at > end) return false;
      this.length += headBytesOf(this.#next);
      this.#takePart(readInt(bytes, at - 4));
      if (this.length <= snapshotAclTableBytesMax) continue;
      throw new JuteError(
        `Cannot read a table of ACLs beyond ${snapshotAclTableBytesMax} bytes: current length is ${this.length}`,
      );
    }
  }

  #takePart(count: number): void {
    switch (this.#next) {
      case AclPart.table:
        this.#tableLeft = count;
        this.#next = AclPart.vector;
        return;
      case AclPart.vector:
        this.#vectorLeft = count;
        this.#next = AclPart.scheme;
        return;
      case AclPart.scheme:
        this.length += checkedLength(count, this.#itemBytesMax);
        this.#next = AclPart.id;
        return;
      default:
        this.length += checkedLength(count, this.#itemBytesMax);
        this.#vectorLeft--;
        this.#next = AclPart.scheme;
    }
  }
}

const AclPart = {
  /** The count of the table. */
  table: 0,
  /** The count of one list, behind its id. */
  vector: 1,
  /** The length of a scheme, behind the permissions. */
  scheme: 2,
  /** The length of an id. */
  id: 3,
} as const;
type AclPart = (typeof AclPart)[keyof typeof AclPart];

/** Bytes up to the end of the length or count of a part. */
function headBytesOf(part: AclPart): number {
  return part === AclPart.vector ? 12 : part === AclPart.scheme ? 8 : 4;
}

const Stage = { sessionCount: 0, sessions: 1, acls: 2, nodes: 3, end: 4 } as const;
type Stage = (typeof Stage)[keyof typeof Stage];

const slash = 0x2f;

function checkedLength(length: number, itemBytesMax: number): number {
  if (length >= -1 && length <= itemBytesMax) return Math.max(0, length);
  throw new JuteError(`Cannot read a string or buffer: current length is ${length}`);
}

function readInt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}
