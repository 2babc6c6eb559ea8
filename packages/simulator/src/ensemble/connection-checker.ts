import { isDeepStrictEqual } from 'node:util';
import {
  ErrorCode,
  FrameDecoder,
  type FrameReceiver,
  formatLong,
  formatZxid,
  JuteReader,
  OpCode,
  readConnectRequest,
  readConnectResponse,
  readReplyHeader,
  readSetWatches,
  readSetWatches2,
  readWatcherEvent,
  SpecialXid,
} from '@meerkat/protocol';
import { describeReply } from '../model/describe-reply.ts';
import { answerRead, type ModelRead } from '../model/model-reads.ts';
import { configPath } from '../model/model-reconfig.ts';
import type { ModelTree, ModelWrite } from '../model/model-tree.ts';
import { ModelWatches } from '../model/model-watches.ts';
import type { Reply } from '../scripted-client.ts';
import type { ConnectionTap } from './client-ports.ts';
import type { ModelHistory, ModelVersion } from './model-history.ts';
import type { SessionRecord } from './session-record.ts';
import { demand, Violation } from './violation.ts';

/** A request as its client meant it. */
export type SentRequest =
  | { readonly read: ModelRead }
  | { readonly write: ModelWrite }
  /** The end of the session. */
  | { readonly end: true };

/** What the checkers of all connections share. */
export interface CheckerHost {
  readonly history: ModelHistory;
  /** Whether members give sessions that they alone know. */
  readonly hasLocalSessions: boolean;
  /** The newest zxid of a write that anybody was told the end of. */
  acknowledgedZxid: number;
  nowMs(): number;
  /** Counts what was checked. */
  readonly counts: { replies: number; writes: number; events: number; readOnlyReplies: number };
  say(text: string): void;
}

/** A request without an answer yet. */
interface Expected {
  readonly xid: number;
  readonly request: SentRequest;
  readonly sentMs: number;
  /** Writes that were acknowledged to anybody before it was sent. */
  readonly acknowledgedZxid: number;
}

/**
 * One connection of a session as it passes over the wire, checked against the committed history: replies in the order
 * of the requests, each as the model has it at the zxid that it carries, no zxid before one that the session has
 * seen, `sync` as far as anybody was told, and in between exactly the events of its watches, each before the first
 * reply that shows the change.
 */
export class ConnectionChecker implements ConnectionTap {
  readonly session: SessionRecord;
  readonly watches: ModelWatches = new ModelWatches();
  /** Whether a server has taken the session over this connection. */
  isEstablished = false;
  isOver = false;
  /** Since when its client knows that. */
  establishedMs: number = Number.POSITIVE_INFINITY;
  /** The number of the client's end of it. */
  stream = 0;
  readonly #name: string;
  readonly #host: CheckerHost;
  readonly #requestOf: (xid: number) => SentRequest | undefined;
  readonly #expected: Expected[] = [];
  readonly #pings: number[] = [];
  readonly #toServer = new FrameDecoder(2 ** 31 - 1);
  readonly #toClient = new FrameDecoder(2 ** 31 - 1);
  /** The server has no leader, and serves from what it has. */
  #isReadOnly = false;
  #isGreeted = false;
  #greetedMs = 0;
  #wasEndedWhenGreeted = false;
  #askedForSession = '';
  /** Place in the history up to which watches have fired. */
  #fired = 0;
  #due: { zxid: number; isUnordered: boolean; events: string[] } = {
    zxid: 0,
    isUnordered: false,
    events: [],
  };
  #caughtUp: string[] = [];
  /** Reads show at least this: what was acknowledged when a `sync` was sent that has come back. */
  #syncedZxid = 0;

  /** @param requestOf what the client sent under a number */
  constructor(
    name: string,
    session: SessionRecord,
    host: CheckerHost,
    requestOf: (xid: number) => SentRequest | undefined,
  ) {
    this.#name = name;
    this.session = session;
    this.#host = host;
    this.#requestOf = requestOf;
  }

  /** Requests without an answer. */
  get unanswered(): number {
    return this.#expected.length;
  }

  onDialled(stream: number): void {
    this.stream = stream;
  }

  onSent(bytes: Uint8Array): void {
    this.#toServer.push(
      bytes,
      0,
      bytes.length,
      receiver((reader) => this.#sent(reader)),
    );
  }

  onReceived(bytes: Uint8Array): void {
    this.#toClient.push(
      bytes,
      0,
      bytes.length,
      receiver((reader) => this.#received(reader)),
    );
  }

  onEnded(): void {
    this.isOver = true;
  }

  /**
   * Everything has been told: no event may be missing.
   *
   * @throws Violation when one is
   */
  checkAllEvents(): void {
    this.#fireUpTo(this.#host.history.last.zxid);
    this.#demandNoneDue('at the end');
  }

  #sent(reader: JuteReader): void {
    if (!this.#isGreeted) {
      this.#isGreeted = true;
      this.#greetedMs = this.#host.nowMs();
      const { sessionIdHi, sessionIdLo } = readConnectRequest(reader);
      const isNew = sessionIdHi === 0 && sessionIdLo === 0;
      this.#askedForSession = isNew ? '' : formatLong(sessionIdHi, sessionIdLo);
      this.#wasEndedWhenGreeted = this.#host.history.hasEnded(this.#askedForSession);
      return;
    }
    const xid = reader.readInt();
    const type = reader.readInt() as OpCode;
    const nowMs = this.#host.nowMs();
    if (xid === SpecialXid.ping) {
      this.#pings.push(nowMs);
      return;
    }
    if (xid === SpecialXid.auth) return;
    const request =
      xid === SpecialXid.setWatches ? readRearming(type, reader) : this.#requestOf(xid);
    if (request === undefined)
      throw new Error(`${this.#name} sent #${xid}, which nobody asked for`);
    const { acknowledgedZxid } = this.#host;
    this.#host.say(`${this.#name} > #${xid} ${shortly(request)}`);
    this.#expected.push({ xid, request, sentMs: nowMs, acknowledgedZxid });
    if ('write' in request) {
      const { write } = request;
      this.#host.history.noteSent(this.session.name, xid, { write, caller: this.session.caller });
    } else if ('end' in request) {
      this.session.isClosing = true;
    }
  }

  #received(reader: JuteReader): void {
    if (!this.isEstablished) {
      this.#onWelcome(reader);
      return;
    }
    const { xid, zxid, err } = readReplyHeader(reader);
    if (xid === SpecialXid.ping) {
      this.session.answered(this.#pings.shift() ?? 0);
    } else if (xid === SpecialXid.notification) {
      const { type, path } = readWatcherEvent(reader);
      this.#onEvent(`${type} ${path}`, zxid);
    } else if (xid !== SpecialXid.auth) {
      this.#onReply({ xid, zxid, err, body: reader });
    }
  }

  #onWelcome(reader: JuteReader): void {
    const { sessionIdHi, sessionIdLo, timeOut, readOnly } = readConnectResponse(reader);
    this.#isReadOnly = readOnly === true;
    this.isEstablished = true;
    const { session } = this;
    if (timeOut <= 0) {
      this.#host.say(`${this.#name} is told that its session is no more`);
      session.isToldExpired = true;
      return;
    }
    const name = formatLong(sessionIdHi, sessionIdLo);
    demand(!this.#wasEndedWhenGreeted, 'a session that has ended stays so', () => {
      return `${this.#name} is let in with ${name}`;
    });
    demand(
      this.#askedForSession === '' || this.#askedForSession === name,
      'a session keeps its id',
      () => {
        return `${this.#name} asked for ${this.#askedForSession} and got ${name}`;
      },
    );
    const { history, hasLocalSessions } = this.#host;
    const isKnown = history.last.sessions.has(name) || history.hasEnded(name);
    if (hasLocalSessions && !isKnown && this.#askedForSession === '') {
      history.noteLocal(name);
      session.isLocal = true;
    }
    demand(
      session.isLocal ||
        // It may have ended again before its client hears of it.
        history.last.sessions.has(name) ||
        history.hasEnded(name) ||
        this.#askedForSession !== '',
      'a session is committed before it is given',
      () => {
        return `${this.#name} got ${name}, which no transaction has created`;
      },
    );
    this.establishedMs = this.#host.nowMs();
    session.name = name;
    session.timeoutMs = timeOut;
    session.answered(this.#greetedMs);
    this.#fired = history.indexAt(session.seenZxid);
    this.#host.say(`${this.#name} has session ${name} for ${timeOut} ms`);
  }

  #onEvent(event: string, zxid: number): void {
    this.#host.counts.events += 1;
    this.#host.say(`${this.#name} < event ${event} ${zxid === -1 ? '' : formatZxid(zxid)}`);
    if (zxid === -1) {
      this.#caughtUp.push(event);
      return;
    }
    this.#fireUpTo(zxid);
    const due = this.#due;
    const index = due.isUnordered ? due.events.indexOf(event) : 0;
    demand(
      due.zxid === zxid && due.events[index] === event,
      'each watch fires once, in order',
      () => {
        return `${this.#name} got ${event} of ${formatZxid(zxid)}, due were [${due.events.join()}] of ${formatZxid(due.zxid)}`;
      },
    );
    due.events.splice(index, 1);
  }

  #onReply(reply: Reply): void {
    this.#host.counts.replies += 1;
    const { xid, zxid, err } = reply;
    const expected = this.#expected.shift();
    this.#host.say(`${this.#name} < #${xid} ${err} at ${formatZxid(zxid)}`);
    demand(expected?.xid === xid, 'replies come in the order of the requests', () => {
      return `${this.#name} got #${xid} in place of #${expected?.xid}`;
    });
    const { session } = this;
    session.answered(expected.sentMs);
    if (lateErrors.has(err) && !('end' in expected.request)) return;
    this.#fireUpTo(zxid);
    this.#demandNoneDue(`at #${xid} of ${formatZxid(zxid)}`);
    demand(zxid >= session.seenZxid, 'a session never sees the past', () => {
      return `${this.#name} got #${xid} at ${formatZxid(zxid)}, after ${formatZxid(session.seenZxid)}`;
    });
    if ('read' in expected.request) this.#checkRead(expected, expected.request.read, reply);
    else this.#checkWrite(expected, reply);
    session.seenZxid = zxid;
  }

  #checkRead({ xid, acknowledgedZxid }: Expected, read: ModelRead, reply: Reply): void {
    const { history } = this.#host;
    const { zxid, err } = reply;
    const what = (): string =>
      `${this.#name} #${xid} ${JSON.stringify(read)} at ${formatZxid(zxid)}`;
    if (this.#isReadOnly && read.kind === 'sync') return this.#checkRefused(what, err);
    demand(zxid >= this.#syncedZxid, 'a read after sync is current', () => {
      return `${what()}, synced up to ${formatZxid(this.#syncedZxid)}`;
    });
    const shown = history.shownAt(zxid);
    const version = shown[0] as ModelVersion;
    const { name } = this.session;
    const lives = version.sessions.has(name) || history.isLocalAt(version, name);
    demand(lives, 'a session that has ended is not served', what);
    if (read.kind === 'sync' && err === 0) {
      this.#syncedZxid = Math.max(this.#syncedZxid, acknowledgedZxid);
    }
    const { caller } = this.session;
    const isOfMembers = read.kind === 'getData' && read.path === configPath;
    const body = isOfMembers && err === 0 ? describeMembers(read, reply) : null;
    const fits = shown.find(({ tree }) => this.#mayShow(read, body, tree)) ?? version;
    const answer = answerRead(fits.tree, read, caller, this.watches);
    if (this.#isReadOnly) {
      this.#host.counts.readOnlyReplies += 1;
      // What a member was left with by a crash may go further than what was ever agreed on: nobody knows of it.
      if (version.zxid !== zxid && zxid % 2 ** 32 !== 0) {
        this.#caughtUp = [];
        return;
      }
    }
    if (body !== null) forgetTime(answer.body);
    this.#demandAnswer(
      what,
      reply,
      answer.err,
      () => body ?? describeReply(read, reply),
      answer.body,
    );
    demand(
      isDeepStrictEqual(this.#caughtUp, answer.events ?? []),
      'watches set anew tell what was missed',
      () => {
        return `${what()}: [${this.#caughtUp.join()}], expected [${answer.events?.join() ?? ''}]`;
      },
    );
    this.#caughtUp = [];
  }

  /** Whether an answer about the members goes with what they are in this tree. */
  #mayShow(read: ModelRead, body: { readonly data: string } | null, tree: ModelTree): boolean {
    const node = tree.get(configPath);
    if (body !== null) return node?.data === body.data;
    if (read.kind !== 'setWatches' || !read.data.includes(configPath)) return true;
    const isChanged = (node?.mzxid ?? 0) > read.relativeZxid;
    return isChanged === this.#caughtUp.includes(`3 ${configPath}`);
  }

  #checkRefused(what: () => string, err: number): void {
    demand(err === ErrorCode.notReadOnly, 'nothing is written without a leader', () => {
      return `${what()} was answered ${err}`;
    });
  }

  #checkWrite({ xid, request, acknowledgedZxid }: Expected, reply: Reply): void {
    const { zxid, err } = reply;
    const { session } = this;
    const write: ModelWrite = 'write' in request ? request.write : { kind: 'closeSession' };
    const what = (): string =>
      `${this.#name} #${xid} ${JSON.stringify(write)} at ${formatZxid(zxid)}`;
    if (this.#isReadOnly && 'write' in request) return this.#checkRefused(what, err);
    this.#host.counts.writes += 1;
    const { history } = this.#host;
    // The end of a local session is no transaction.
    if (write.kind === 'closeSession' && history.isLocalAt(history.last, session.name)) return;
    demand(zxid > session.seenZxid, 'a write is not seen before it happens', what);
    demand(zxid > acknowledgedZxid, 'writes are linearizable', () => {
      return `${what()} was sent after ${formatZxid(acknowledgedZxid)} had been acknowledged`;
    });
    const version = history.of(zxid);
    demand(version !== undefined, 'what is acknowledged is committed', what);
    demand(
      version.session === session.name && version.header.cxid === xid,
      'a write is answered with its own transaction',
      () => {
        return `${what()}: that is #${version.header.cxid} of ${version.session}`;
      },
    );
    this.#host.acknowledgedZxid = Math.max(this.#host.acknowledgedZxid, zxid);
    this.#demandAnswer(what, reply, version.err, () => describeReply(write, reply), version.body);
    void err;
  }

  #demandAnswer(
    what: () => string,
    { err }: Reply,
    modelErr: number,
    describe: () => unknown,
    modelBody: unknown,
  ): void {
    demand(err === modelErr, 'an answer is what the history says', () => {
      return `${what()}: error ${err}, the model says ${modelErr}`;
    });
    if (err !== 0) return;
    const body = describe();
    demand(isDeepStrictEqual(body, modelBody ?? {}), 'an answer is what the history says', () => {
      return `${what()}\n  ${JSON.stringify(body)}, the model says\n  ${JSON.stringify(modelBody)}`;
    });
  }

  #demandNoneDue(when: string): void {
    const { events, zxid } = this.#due;
    if (events.length === 0) return;
    throw new Violation(
      'no watch is lost',
      `${this.#name} did not get ${events.join()} of ${formatZxid(zxid)} ${when}`,
    );
  }

  /** Lets the transactions after the last one fire, and stops behind the first that has something to tell. */
  #fireUpTo(zxid: number): void {
    const { history } = this.#host;
    const until = history.indexAt(zxid);
    // Without a leader nothing happens: what is seen to be committed meanwhile was there before.
    if (this.#isReadOnly) this.#fired = until;
    if (this.watches.isEmpty) {
      if (this.#due.events.length === 0 && until > this.#fired) this.#fired = until;
      return;
    }
    while (this.#due.events.length === 0 && this.#fired < until) {
      this.#fired += 1;
      const version = history.at(this.#fired);
      const { caller } = this.session;
      const events = version.changes.flatMap((change) => this.watches.fire(change, caller));
      if (events.length === 0) continue;
      this.#due = { zxid: version.zxid, isUnordered: version.isUnordered, events };
    }
  }
}

/** Frames, each as a reader of bytes that are gone afterwards. */
function receiver(onFrame: (reader: JuteReader) => void): FrameReceiver {
  return {
    onFrame(bytes, start, end) {
      onFrame(new JuteReader(bytes, start, end));
      return true;
    },
    onBadLength(length) {
      throw new Violation('frames are whole', `current length is ${length}`);
    },
  };
}

/** When members put a configuration in force is each member's own matter, if no transaction did. */
function describeMembers(read: ModelRead, reply: Reply): { readonly data: string } {
  const body = describeReply(read, reply) as { readonly data: string };
  forgetTime(body);
  return body;
}

function forgetTime(body: unknown): void {
  Object.assign((body as { stat: { mtime: number } }).stat, { mtime: 0 });
}

/** A request in a few words. */
function shortly(request: SentRequest): string {
  if ('end' in request) return 'closeSession';
  const asked = 'read' in request ? request.read : request.write;
  const watch = 'watch' in asked && asked.watch ? ' and watch' : '';
  if ('parts' in asked) {
    return `${asked.kind} [${asked.parts.map((part) => ('path' in part ? `${part.kind} ${part.path}` : part.kind)).join(', ')}]`;
  }
  return `${asked.kind}${watch} ${'path' in asked ? asked.path : ''}`;
}

/** What the client's core asks on a new connection. */
function readRearming(type: OpCode, reader: JuteReader): SentRequest {
  const lists = type === OpCode.setWatches2 ? readSetWatches2(reader) : readSetWatches(reader);
  return {
    read: {
      kind: 'setWatches',
      relativeZxid: lists.relativeZxid,
      data: lists.dataWatches ?? [],
      exist: lists.existWatches ?? [],
      child: lists.childWatches ?? [],
      persistent: 'persistentWatches' in lists ? (lists.persistentWatches ?? []) : [],
      recursive:
        'persistentRecursiveWatches' in lists ? (lists.persistentRecursiveWatches ?? []) : [],
    } as ModelRead,
  };
}

/** The connection is served no longer; nothing is said about the request. */
const lateErrors = new Set<number>([
  ErrorCode.sessionMoved,
  ErrorCode.sessionExpired,
  ErrorCode.connectionLoss,
]);
