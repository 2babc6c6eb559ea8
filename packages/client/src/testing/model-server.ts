import {
  CreateFlag,
  ErrorCode,
  JuteReader,
  type JuteWriter,
  OpCode,
  readConnectRequest,
  readCreateRequest,
  readCreateTTLRequest,
  readDeleteRequest,
  readGetDataRequest,
  readMultiHeader,
  readRemoveWatchesRequest,
  readSetDataRequest,
  readSetWatches,
  readSetWatches2,
  WatcherType,
  writeConnectResponse,
} from '@meerkat/protocol';
import type { ClientOptions } from '../options.ts';
import type { ClientPorts, HostPort, StreamHandler, Transport } from '../ports.ts';
import { ZooKeeper } from '../zookeeper.ts';
import { FakeClock, FakeStream, turn } from './fake-ports.ts';
import { type ModelChange, ModelError, type ModelNode, ModelTree } from './model-tree.ts';

/** What is to happen to the next request of a kind: `request` it is lost on its way, `reply` its answer is. */
export type Loss = 'request' | 'reply';

interface ModelSession {
  readonly id: bigint;
  stream: ModelStream | null;
  isOver: boolean;
}

/**
 * A ZooKeeper in memory for many clients, under virtual time: it never answers in the turn in which it is asked. Sessions
 * last until `expire`. For tests of recipes, so it keeps to what those need.
 */
export class ModelServer implements Transport {
  readonly tree: ModelTree = new ModelTree();
  readonly clock: FakeClock = new FakeClock();
  /** Opcodes that this server does not know. */
  readonly unknown: Set<number> = new Set();
  /** How many requests of each opcode were handled. */
  readonly handled: Map<number, number> = new Map();
  /** True: connections are refused. */
  isDown = false;
  readonly #sessions = new Map<bigint, ModelSession>();
  readonly #losses: { readonly opcode: number; readonly loss: Loss }[] = [];
  #lastSession = 0x100n;
  #lastSeed = 0;

  /** A client that is connected. */
  async client(options: ClientOptions = {}): Promise<ZooKeeper> {
    const zk = new ZooKeeper('one:1', { sessionTimeoutMs: 9000, ...options }, this.ports());
    await this.pass(0);
    await zk.connected();
    return zk;
  }

  /** Ports to this server, with a chance of their own. */
  ports(): ClientPorts {
    let state = ++this.#lastSeed * 0x9e3779b9;
    const below = (bound: number): number => {
      state = (Math.imul(state ^ (state >>> 15), state | 1) + 0x6d2b79f5) >>> 0;
      return state % bound;
    };
    return { transport: this, clock: this.clock, random: { below } };
  }

  /** Lets time pass, and everything happen that follows. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms;
    await settle();
    while (this.clock.fireNext(untilMs)) await settle();
    this.clock.standAt(untilMs);
    await settle();
  }

  /** The next request with this opcode, or its reply, is lost, and the connection with it. */
  loseNext(opcode: number, loss: Loss): void {
    this.#losses.push({ opcode, loss });
  }

  /** Breaks a client's connection. */
  async disconnect(zk: ZooKeeper): Promise<void> {
    this.#session(zk).stream?.break();
    await settle();
  }

  /** Ends a client's session; the client learns of it when it comes back. */
  async expire(zk: ZooKeeper): Promise<void> {
    const session = this.#session(zk);
    this.#endSession(session);
    session.stream?.break();
    await settle();
  }

  /** Deletes a znode by the hand of someone else. */
  async remove(path: string): Promise<void> {
    this.#write((changes) => this.tree.delete(path, -1, changes));
    await settle();
  }

  /** The names under a path, sorted; none when it does not exist. */
  children(path: string): string[] {
    return [...(this.tree.nodes.get(path)?.children ?? [])].sort();
  }

  /** How many one-shot and persistent watches there are. */
  get watches(): number {
    const streams = [...this.#sessions.values()].map(({ stream }) => stream);
    return streams.reduce((sum, stream) => sum + (stream?.watchCount ?? 0), 0);
  }

  // Transport

  dial(server: HostPort, handler: StreamHandler): ModelStream {
    const stream = new ModelStream(server, handler, this);
    setImmediate(() => {
      if (stream.isClosed) return;
      if (this.isDown) stream.break();
      else stream.open();
    });
    return stream;
  }

  // For streams

  /** Answers the handshake: id 0 when the session is over. */
  welcome(stream: ModelStream, reader: JuteReader): bigint {
    const request = readConnectRequest(reader);
    const asked = (BigInt(request.sessionIdHi) << 32n) | BigInt(request.sessionIdLo >>> 0);
    const known = this.#sessions.get(asked);
    if (asked !== 0n && known?.isOver !== false) {
      stream.send((writer) => writeWelcome(writer, 0n, 0));
      return 0n;
    }
    const session = known ?? { id: ++this.#lastSession, stream: null, isOver: false };
    session.stream?.break();
    session.stream = stream;
    this.#sessions.set(session.id, session);
    stream.send((writer) => writeWelcome(writer, session.id, request.timeOut));
    return session.id;
  }

  /** Takes the loss that is due for a request, if any. */
  takeLoss(opcode: number): Loss | null {
    const index = this.#losses.findIndex((one) => one.opcode === opcode);
    return index === -1 ? null : (this.#losses.splice(index, 1)[0]?.loss ?? null);
  }

  /** Handles a request. Returns what to answer with after the header. @throws ModelError */
  handle(
    opcode: number,
    reader: JuteReader,
    sessionId: bigint,
    stream: ModelStream,
  ): (writer: JuteWriter) => void {
    this.handled.set(opcode, (this.handled.get(opcode) ?? 0) + 1);
    if (this.unknown.has(opcode)) throw new ModelError(ErrorCode.unimplemented);
    switch (opcode) {
      case OpCode.closeSession:
        this.#endSession(this.#sessions.get(sessionId) as ModelSession);
        return () => {};
      case OpCode.multi:
        return this.#multi(reader, sessionId);
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
      case OpCode.delete:
      case OpCode.setData:
        return this.#write((changes) => this.#writeOne(opcode, reader, sessionId, changes));
      default:
        return this.#read(opcode, reader, stream);
    }
  }

  #writeOne(
    opcode: number,
    reader: JuteReader,
    sessionId: bigint,
    changes: ModelChange[],
  ): (writer: JuteWriter) => void {
    const { tree } = this;
    switch (opcode) {
      case OpCode.delete: {
        const { path, version } = readDeleteRequest(reader);
        tree.delete(path, version, changes);
        return () => {};
      }
      case OpCode.setData: {
        const { path, data, version } = readSetDataRequest(reader);
        const node = tree.setData(path, data?.slice() ?? null, version, changes);
        return (writer) => writeStat(writer, node);
      }
      case OpCode.check: {
        const { path, version } = readDeleteRequest(reader);
        tree.check(path, version);
        return () => {};
      }
      default: {
        const isTtl = opcode === OpCode.createTTL;
        const request = isTtl ? readCreateTTLRequest(reader) : readCreateRequest(reader);
        const { flags } = request;
        const isEphemeral =
          flags === CreateFlag.ephemeral || flags === CreateFlag.ephemeralSequential;
        const sequential = isEphemeral ? flags === 3 : flags === 2 || flags === 6;
        const owner = isEphemeral ? sessionId : 0n;
        const data = request.data?.slice() ?? null;
        const path = tree.create({ path: request.path, data, owner, sequential }, changes);
        const node = tree.get(path);
        return (writer) => {
          writer.writeString(path);
          if (opcode !== OpCode.create) writeStat(writer, node);
        };
      }
    }
  }

  /** Applies a write, and tells those who watch what it changed. */
  #write<T>(apply: (changes: ModelChange[]) => T): T {
    this.tree.zxid++;
    const changes: ModelChange[] = [];
    const result = apply(changes);
    for (const change of changes) {
      for (const { stream } of this.#sessions.values()) stream?.tell(change, this.tree.zxid);
    }
    return result;
  }

  #multi(reader: JuteReader, sessionId: bigint): (writer: JuteWriter) => void {
    const before = this.tree.copy();
    const answers: { readonly type: number; readonly write: (writer: JuteWriter) => void }[] = [];
    let failed: number | null = null;
    let count = 0;
    this.#write((changes) => {
      for (let head = readMultiHeader(reader); !head.done; head = readMultiHeader(reader)) {
        count++;
        try {
          const write = this.#writeOne(head.type, reader, sessionId, changes);
          if (failed === null) answers.push({ type: head.type, write });
        } catch (error) {
          if (!(error instanceof ModelError)) throw error;
          failed ??= error.code;
        }
      }
      if (failed !== null) changes.length = 0;
    });
    if (failed !== null) this.tree.restore(before);
    const code = failed;
    return (writer) => {
      for (let index = 0; index < count; index++) {
        const answer = answers[index];
        const type = code === null && answer !== undefined ? answer.type : -1;
        writeHeader(writer, type, false);
        if (code === null) answer?.write(writer);
        else writer.writeInt(index < answers.length ? 0 : index === answers.length ? code : -2);
      }
      writeHeader(writer, -1, true);
    };
  }

  #read(opcode: number, reader: JuteReader, stream: ModelStream): (writer: JuteWriter) => void {
    switch (opcode) {
      case OpCode.exists:
      case OpCode.getData:
      case OpCode.getChildren:
      case OpCode.getChildren2: {
        const { path, watch } = readGetDataRequest(reader);
        const ofChildren = opcode === OpCode.getChildren || opcode === OpCode.getChildren2;
        if (watch && (opcode === OpCode.exists || this.tree.nodes.has(path))) {
          stream.watch(ofChildren ? 'child' : 'data', path);
        }
        const node = this.tree.get(path);
        return (writer) => {
          if (opcode === OpCode.getData) writer.writeBuffer(node.data);
          if (ofChildren) writeStrings(writer, [...node.children]);
          if (opcode !== OpCode.getChildren) writeStat(writer, node);
        };
      }
      case OpCode.sync: {
        const path = reader.readString();
        return (writer) => writer.writeString(path);
      }
      case OpCode.addWatch: {
        const path = reader.readString();
        stream.watch(reader.readInt() === 1 ? 'recursive' : 'persistent', path);
        return (writer) => writer.writeInt(0);
      }
      case OpCode.removeWatches:
      case OpCode.checkWatches: {
        const { path, type } = readRemoveWatchesRequest(reader);
        stream.unwatch(type, path, opcode === OpCode.removeWatches);
        return () => {};
      }
      case OpCode.setWatches:
      case OpCode.setWatches2:
        stream.rearm(opcode, reader);
        return () => {};
      case OpCode.multiRead:
        return this.#multiRead(reader);
      case OpCode.ping:
        return () => {};
      default:
        throw new ModelError(ErrorCode.unimplemented);
    }
  }

  #multiRead(reader: JuteReader): (writer: JuteWriter) => void {
    const nodes: (ModelNode | undefined)[] = [];
    for (let head = readMultiHeader(reader); !head.done; head = readMultiHeader(reader)) {
      nodes.push(this.tree.nodes.get(readGetDataRequest(reader).path));
    }
    return (writer) => {
      for (const node of nodes) {
        writeHeader(writer, node === undefined ? -1 : OpCode.getData, false);
        if (node === undefined) {
          writer.writeInt(ErrorCode.noNode);
        } else {
          writer.writeBuffer(node.data);
          writeStat(writer, node);
        }
      }
      writeHeader(writer, -1, true);
    };
  }

  #endSession(session: ModelSession): void {
    if (session.isOver) return;
    session.isOver = true;
    const owned = [...this.tree.nodes].filter(([, node]) => node.owner === session.id);
    this.#write((changes) => {
      for (const [path] of owned) this.tree.delete(path, -1, changes);
    });
  }

  #session(zk: ZooKeeper): ModelSession {
    const session = this.#sessions.get(zk.sessionId);
    if (session === undefined) throw new Error('the client has no session');
    return session;
  }
}

type ListName = 'data' | 'child' | 'persistent' | 'recursive';

/** One connection to the model. */
export class ModelStream extends FakeStream {
  readonly #model: ModelServer;
  readonly #brokenHandler: StreamHandler;
  readonly #lists: Record<ListName, Set<string>> = {
    data: new Set(),
    child: new Set(),
    persistent: new Set(),
    recursive: new Set(),
  };
  #sessionId = 0n;
  #isGreeted = false;

  constructor(server: HostPort, handler: StreamHandler, model: ModelServer) {
    super(server, handler);
    this.#brokenHandler = handler;
    this.#model = model;
  }

  /** How many watches this connection has. */
  get watchCount(): number {
    return this.isClosed ? 0 : Object.values(this.#lists).reduce((sum, list) => sum + list.size, 0);
  }

  override write(bytes: Uint8Array): boolean {
    // What arrives is not kept: a recipe may run for long.
    const copy = bytes.slice();
    setImmediate(() => this.#receive(copy));
    return true;
  }

  /** The connection breaks. */
  break(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    setImmediate(() => this.#brokenHandler.onClosed(new Error('reset by the test')));
  }

  /** Sets a watch. */
  watch(list: ListName, path: string): void {
    this.#lists[list].add(path);
  }

  /** Takes watches back. @throws ModelError noWatcher */
  unwatch(type: number, path: string, remove: boolean): void {
    const lists = listsOf[type] ?? ['data', 'child', 'persistent', 'recursive'];
    const found = lists.filter((list) => this.#lists[list].has(path));
    if (found.length === 0) throw new ModelError(ErrorCode.noWatcher);
    if (remove) for (const list of found) this.#lists[list].delete(path);
  }

  /** Sets watches anew after a reconnect, and makes up for what the one-shot ones missed. */
  rearm(opcode: number, reader: JuteReader): void {
    const { tree } = this.#model;
    const old = opcode === OpCode.setWatches;
    const paths = old
      ? { ...readSetWatches(reader), persistentWatches: [], persistentRecursiveWatches: [] }
      : readSetWatches2(reader);
    const seen = paths.relativeZxid;
    for (const path of paths.dataWatches ?? []) {
      const node = tree.nodes.get(path);
      if (node === undefined) this.notify(2, path, -1);
      else if (node.mzxid > seen) this.notify(3, path, -1);
      else this.watch('data', path);
    }
    for (const path of paths.existWatches ?? []) {
      if (tree.nodes.has(path)) this.notify(1, path, -1);
      else this.watch('data', path);
    }
    for (const path of paths.childWatches ?? []) {
      const node = tree.nodes.get(path);
      if (node === undefined) this.notify(2, path, -1);
      else if (node.pzxid > seen) this.notify(4, path, -1);
      else this.watch('child', path);
    }
    for (const path of paths.persistentWatches ?? []) this.watch('persistent', path);
    for (const path of paths.persistentRecursiveWatches ?? []) this.watch('recursive', path);
  }

  /** Tells a change, if somebody here watches. */
  tell({ type, path }: ModelChange, zxid: number): void {
    if (this.isClosed) return;
    const lists: ListName[] = type === 4 ? ['child'] : type === 2 ? ['data', 'child'] : ['data'];
    const fired = lists.filter((list) => this.#lists[list].delete(path)).length > 0;
    const lasting =
      this.#lists.persistent.has(path) || (type !== 4 && this.#isUnderRecursive(path));
    if (fired || lasting) this.notify(type, path, zxid);
  }

  #isUnderRecursive(path: string): boolean {
    return [...this.#lists.recursive].some(
      (root) => root === '/' || path === root || path.startsWith(`${root}/`),
    );
  }

  #receive(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.isClosed; ) {
      const end = at + 4 + new DataView(bytes.buffer, bytes.byteOffset).getInt32(at);
      this.#onFrame(new JuteReader(bytes, at + 4, end));
      at = end;
    }
  }

  #onFrame(reader: JuteReader): void {
    if (!this.#isGreeted) {
      this.#isGreeted = true;
      this.#sessionId = this.#model.welcome(this, reader);
      return;
    }
    const xid = reader.readInt();
    const opcode = reader.readInt();
    const loss = this.#model.takeLoss(opcode);
    if (loss === 'request') return this.break();
    let code = 0;
    let write: (writer: JuteWriter) => void = () => {};
    try {
      write = this.#model.handle(opcode, reader, this.#sessionId, this);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      code = error.code;
    }
    if (loss === 'reply') return this.break();
    this.reply(xid, code, write, this.#model.tree.zxid);
  }
}

/** The lists that a type of `removeWatches` means. */
const listsOf: Readonly<Record<number, readonly ListName[]>> = {
  [WatcherType.children]: ['child'],
  [WatcherType.data]: ['data'],
};

/** Waits until all that follows has happened, over as many turns as that takes. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 12; turns++) await turn();
}

function writeWelcome(writer: JuteWriter, id: bigint, timeOut: number): void {
  writeConnectResponse(writer, {
    protocolVersion: 0,
    timeOut,
    sessionIdHi: Number(BigInt.asIntN(32, id >> 32n)),
    sessionIdLo: Number(BigInt.asIntN(32, id)),
    passwd: new Uint8Array(16),
    readOnly: false,
  });
}

function writeStat(writer: JuteWriter, node: ModelNode): void {
  writer.writeLongFromDouble(node.czxid);
  writer.writeLongFromDouble(node.mzxid);
  writer.writeLongFromDouble(1_700_000_000_000);
  writer.writeLongFromDouble(1_700_000_000_000);
  for (const value of [node.version, node.cversion, 0]) writer.writeInt(value);
  writer.writeLongFromDouble(Number(node.owner));
  writer.writeInt(node.data?.length ?? 0);
  writer.writeInt(node.children.size);
  writer.writeLongFromDouble(node.pzxid);
}

function writeStrings(writer: JuteWriter, strings: readonly string[]): void {
  writer.writeInt(strings.length);
  for (const text of strings) writer.writeString(text);
}

function writeHeader(writer: JuteWriter, type: number, done: boolean): void {
  writer.writeInt(type);
  writer.writeBoolean(done);
  writer.writeInt(type === -1 ? -1 : 0);
}
