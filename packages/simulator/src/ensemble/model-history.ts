import {
  ErrorCode,
  formatLong,
  formatZxid,
  JuteReader,
  OpCode,
  readTxnHeader,
  type TxnHeader,
} from '@meerkat/protocol';
import {
  applyReconfig,
  configPath,
  configured,
  isSameMembersText,
} from '../model/model-reconfig.ts';
import {
  applyWrite,
  deleteUseless,
  type ModelCaller,
  type ModelChange,
  type ModelNode,
  type ModelOutcome,
  type ModelTree,
  type ModelWrite,
  newTree,
  statOf,
} from '../model/model-tree.ts';
import type { KnownTransaction } from './agreed-history.ts';
import { demand } from './violation.ts';

/** The state after one committed transaction, worked out by the model. */
export interface ModelVersion {
  readonly zxid: number;
  readonly header: TxnHeader;
  /** The session that the transaction is of, as `formatLong` has it. */
  readonly session: string;
  readonly tree: ModelTree;
  readonly changes: readonly ModelChange[];
  /** Whether the changes may be told in any order: those of a closeSession. */
  readonly isUnordered: boolean;
  /** What the write came to; `err` of an error transaction. */
  readonly err: number;
  readonly body: unknown;
  /** Sessions alive after it. */
  readonly sessions: ReadonlySet<string>;
  /** Sessions that ever ended. */
  readonly write: ModelWrite | null;
}

/** A write that a client has sent, whether or not it was answered. */
export interface SentWrite {
  readonly write: ModelWrite;
  readonly caller: ModelCaller;
  /** What was committed when it was sent. */
  readonly afterZxid: number;
}

/**
 * The committed history, understood: each transaction is the request of some client (or the end of a session), and
 * the model of ZooKeeper's data says what it must have come to. Owns the model's states; knows nothing of members.
 */
export class ModelHistory {
  readonly #versions: ModelVersion[] = [];
  readonly #byZxid = new Map<number, ModelVersion>();
  readonly #sent = new Map<string, Map<number, SentWrite>>();
  readonly #ended = new Set<string>();
  /** Sessions that began as local ones, and the transactions that made sessions everybody's. */
  readonly #local = new Set<string>();
  readonly #createdBy = new Map<string, number>();
  readonly #newestCxid = new Map<string, number>();
  readonly #maxNeverUsedMs: number;
  /** Znodes that a leader deleted by itself. */
  useless = 0;
  readonly #sequences = new Map<string, number>();

  /** @param maxNeverUsedMs how long containers wait for their first child; 0 for ever */
  constructor(maxNeverUsedMs = 0) {
    this.#maxNeverUsedMs = maxNeverUsedMs;
    const header = {
      clientIdHi: 0,
      clientIdLo: 0,
      cxid: 0,
      zxid: 0,
      time: 0,
      type: OpCode.createSession,
    } as unknown as TxnHeader;
    const start: ModelVersion = {
      zxid: 0,
      header,
      session: '',
      tree: newTree(),
      changes: [],
      isUnordered: false,
      err: 0,
      body: undefined,
      sessions: new Set(),
      write: null,
    };
    this.#versions.push(start);
    this.#byZxid.set(0, start);
  }

  get last(): ModelVersion {
    return this.#versions.at(-1) as ModelVersion;
  }

  /** The place in the history of the last transaction up to `zxid`. */
  indexAt(zxid: number): number {
    const versions = this.#versions;
    if (zxid >= this.last.zxid) return versions.length - 1;
    let low = 0;
    let high = versions.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((versions[middle] as ModelVersion).zxid <= zxid) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The version at a place in the history. */
  at(index: number): ModelVersion {
    return this.#versions[index] as ModelVersion;
  }

  /** The version that a transaction made, undefined when it is not committed. */
  of(zxid: number): ModelVersion | undefined {
    return this.#byZxid.get(zxid);
  }

  /** Whether a session has ended. */
  hasEnded(session: string): boolean {
    return this.#ended.has(session);
  }

  /**
   * A member gives a session that no transaction has created.
   *
   * @throws Violation when it was given before
   */
  noteLocal(session: string): void {
    const isNew = !this.#local.has(session) && !this.#createdBy.has(session);
    demand(isNew, 'a session id is given once', () => `${session} is given again, as a local one`);
    this.#local.add(session);
  }

  /** Whether a session began as a local one, and no transaction up to `version` has made it everybody's. */
  isLocalAt({ zxid }: ModelVersion, session: string): boolean {
    const created = this.#createdBy.get(session) ?? Number.POSITIVE_INFINITY;
    return this.#local.has(session) && zxid < created;
  }

  /** A client sends a write. */
  noteSent(session: string, cxid: number, sent: Omit<SentWrite, 'afterZxid'>): void {
    let ofSession = this.#sent.get(session);
    if (ofSession === undefined) {
      ofSession = new Map();
      this.#sent.set(session, ofSession);
    }
    ofSession.set(cxid, { ...sent, afterZxid: this.last.zxid });
  }

  /** Members are in force from `zxid` on without a transaction: the beginning of an epoch, or of all. */
  configure(zxid: number, text: string): void {
    const before = this.last;
    const tree = configured(before.tree, text, 0);
    this.#versions.push({ ...unchanged(before, before.header, ''), zxid, tree });
  }

  /** What can be shown at `zxid`: who learns of the members of a new epoch stands where the one before has ended. */
  shownAt(zxid: number): readonly ModelVersion[] {
    const index = this.indexAt(zxid);
    const next = this.#versions[index + 1];
    const version = this.at(index);
    return next !== undefined && next.zxid % 2 ** 32 === 0 ? [version, next] : [version];
  }

  /**
   * A transaction is committed.
   *
   * @throws Violation when no client asked for it, or it should have come to something else
   */
  append({ zxid, bytes }: KnownTransaction): void {
    const reader = new JuteReader(bytes);
    const header = readTxnHeader(reader);
    const session = formatLong(header.clientIdHi, header.clientIdLo);
    const before = this.last;
    const type = header.type as OpCode;
    let version: ModelVersion;
    if (type === OpCode.createSession) version = this.#createSession(before, header, session);
    else if (type === OpCode.closeSession) version = this.#closeSession(before, header, session);
    else if (session === nobody) version = this.#byItself(before, header, reader);
    else version = this.#write(before, header, session, reader);
    this.#versions.push(version);
    this.#byZxid.set(zxid, version);
  }

  #createSession(before: ModelVersion, header: TxnHeader, session: string): ModelVersion {
    demand(!this.#ended.has(session), 'a session has one life', () => {
      return `${session} is created again by ${formatZxid(header.zxid)}`;
    });
    this.#createdBy.set(session, header.zxid);
    const sessions = new Set(before.sessions).add(session);
    return { ...unchanged(before, header, session), sessions };
  }

  #closeSession(before: ModelVersion, header: TxnHeader, session: string): ModelVersion {
    const caller = { session, digestId: '' };
    const end = { kind: 'closeSession' } as const;
    const { tree, changes } = applyWrite(before.tree, end, caller, header.zxid, header.time);
    const sessions = new Set(before.sessions);
    sessions.delete(session);
    this.#ended.add(session);
    return {
      ...unchanged(before, header, session),
      tree,
      changes,
      isUnordered: true,
      sessions,
      write: end,
    };
  }

  /** What a leader does by itself: it deletes containers and TTL znodes that nobody needs. */
  #byItself(before: ModelVersion, header: TxnHeader, reader: JuteReader): ModelVersion {
    const { zxid, time, type } = header;
    // Children came meanwhile, or it is gone already.
    if (type === OpCode.error) return unchanged(before, header, nobody);
    demand(type === OpCode.deleteContainer, 'every transaction was asked for', () => {
      return `${formatZxid(zxid)} is of type ${type} by nobody`;
    });
    const path = reader.readString();
    const outcome = deleteUseless(before.tree, path, zxid, time, this.#maxNeverUsedMs);
    demand(outcome !== null, 'only what nobody needs is deleted', () => {
      const node = JSON.stringify(before.tree.get(path));
      return `${formatZxid(zxid)} deletes ${path} at ${time}, which was ${node}`;
    });
    this.useless += 1;
    return { ...unchanged(before, header, nobody), tree: outcome.tree, changes: outcome.changes };
  }

  #write(
    before: ModelVersion,
    header: TxnHeader,
    session: string,
    reader: JuteReader,
  ): ModelVersion {
    const { zxid, cxid, time } = header;
    const sent = this.#sent.get(session)?.get(cxid);
    const isError = header.type === OpCode.error;
    const txnErr = isError ? reader.readInt() : 0;
    demand(sent !== undefined, 'every transaction was asked for', () => {
      return `${formatZxid(zxid)} is of type ${header.type} by ${session} #${cxid}, who sent no such write`;
    });
    const { write, caller } = sent;
    if (isError && write.kind === 'reconfig' && reconfigRefusals.has(txnErr)) {
      this.#checkInProgress(txnErr, zxid, sent);
      return { ...unchanged(before, header, session), err: txnErr, write };
    }
    if (isError && refusals.has(txnErr)) {
      return { ...unchanged(before, header, session), err: txnErr, write };
    }
    const what = (): string => `${formatZxid(zxid)}, ${session} #${cxid} ${JSON.stringify(write)}`;
    const mayWrite = before.sessions.has(session) || this.isLocalAt(before, session);
    demand(mayWrite, 'only living sessions write', () => {
      return `${what()}: ${this.#ended.has(session) ? 'it has ended' : 'it was never created'}`;
    });
    const outcome =
      write.kind === 'reconfig'
        ? applyReconfig(before.tree, write, caller, zxid, time)
        : applyWrite(before.tree, write, caller, zxid, time);
    const isReconfig = write.kind === 'reconfig' && !isError;
    demand(outcome.err === txnErr, 'a write comes to what the state before it says', () => {
      return `${what()} came to ${txnErr}, the model says ${outcome.err}`;
    });
    if (!isError) {
      this.#checkOrder(session, cxid, what);
      this.#checkSequence(write, outcome.body, what);
    }
    const made = isReconfig ? withTextOf(reader, outcome, what) : outcome;
    return {
      ...unchanged(before, header, session),
      tree: made.tree,
      changes: made.changes,
      err: made.err,
      body: made.body,
      write,
    };
  }

  /** Another reconfiguration is under way when one of the same epoch was not committed as this one was sent. */
  #checkInProgress(txnErr: number, zxid: number, { afterZxid, write }: SentWrite): void {
    if (txnErr !== ErrorCode.reconfigInProgress) return;
    const isSo = this.#versions.some((version) => {
      const isChange = version.write?.kind === 'reconfig' && version.err === 0;
      const isOfEpoch = Math.floor(version.zxid / 2 ** 32) === Math.floor(zxid / 2 ** 32);
      return isChange && isOfEpoch && version.zxid > afterZxid;
    });
    demand(isSo, 'a reconfiguration waits only for another one', () => {
      return `${formatZxid(zxid)} ${JSON.stringify(write)}`;
    });
  }

  #checkOrder(session: string, cxid: number, what: () => string): void {
    const newest = this.#newestCxid.get(session) ?? 0;
    demand(cxid > newest, "a session's writes happen once, in its order", () => {
      return `${what()} after its #${newest}`;
    });
    this.#newestCxid.set(session, cxid);
  }

  /** The numbers of sequential znodes only grow, whatever was deleted meanwhile. */
  #checkSequence(write: ModelWrite, body: unknown, what: () => string): void {
    if (write.kind !== 'create' || !sequentialFlags.has(write.flags)) return;
    const { path } = body as { path: string };
    const parent = path.slice(0, path.lastIndexOf('/'));
    const number = Number(path.slice(-10));
    // A parent that was deleted begins anew; its name then has another czxid, which the model compares.
    const key = `${parent} ${this.last.tree.get(parent === '' ? '/' : parent)?.czxid}`;
    const last = this.#sequences.get(key) ?? -1;
    demand(number > last, 'sequence numbers grow', () => `${what()} got ${number} after ${last}`);
    this.#sequences.set(key, number);
  }
}

function unchanged(before: ModelVersion, header: TxnHeader, session: string): ModelVersion {
  return {
    ...before,
    zxid: header.zxid,
    header,
    session,
    changes: [],
    isUnordered: false,
    err: 0,
    body: undefined,
    write: null,
  };
}

/** The order in which members are written down is the servers' own; everything else must be the model's. */
function withTextOf(reader: JuteReader, outcome: ModelOutcome, what: () => string): ModelOutcome {
  const path = reader.readString();
  const text = Buffer.from(reader.readBuffer() ?? []).toString();
  const { data } = outcome.body as { data: string };
  const isSo = path === configPath && isSameMembersText(data, text);
  demand(isSo, 'a reconfiguration comes to what the one before says', () => {
    return `${what()} came to ${path}\n${text}\nthe model says\n${data}`;
  });
  const node = outcome.tree.get(configPath) as ModelNode;
  const tree = configured(outcome.tree, text, node.mtime);
  return { ...outcome, tree, body: { data: text, stat: statOf(tree, configPath) } };
}

/** Errors of a reconfiguration that depend on who is connected to the leader, and on what it has under way. */
const reconfigRefusals = new Set<number>([
  ErrorCode.newConfigNoQuorum,
  ErrorCode.reconfigInProgress,
]);

/** The session of what a leader does by itself. */
const nobody = '0x0';
const sequentialFlags = new Set<number>([2, 3, 6]);

/** Errors that say that the request came too late, not that it was wrong. */
const refusals = new Set<number>([ErrorCode.sessionMoved, ErrorCode.sessionExpired]);
