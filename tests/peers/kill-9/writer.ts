import assert from 'node:assert/strict';
import {
  CreateFlag,
  JuteReader,
  type JuteWriter,
  OpCode,
  readExistsResponse,
  readGetChildrenResponse,
  readGetDataResponse,
  type Stat,
  writeAcl,
} from '@meerkat/protocol';
import { encodeRequest, openAcl } from '../support/requests.ts';
import {
  ConnectionClosedError,
  RawConnection,
  type ReplyFrame,
  type SessionCredentials,
} from '../support/wire.ts';

/** Requests in flight on one connection. */
const windowMax = 16;
/** The longest that a default server grants. */
const sessionTimeoutMs = 40_000;

/**
 * One session that writes without pause, always knowing what the tree must look like. Its n-th write is one of:
 * setData of its counter, a create, a multi that sets two nodes alike. A connection's writes are applied in order, so after a
 * crash the tree must show the first k writes and nothing else, with k between what was acknowledged and what was sent.
 */
export class Writer {
  readonly #index: number;
  readonly #root: string;
  #connection: RawConnection | undefined;
  #session: SessionCredentials | undefined;
  #xid = 0;
  /** Writes sent. */
  #sent = 0;
  /** Writes acknowledged. */
  #acknowledged = 0;
  /** Largest zxid that any reply has carried. */
  #zxid = 0;
  #ephemeralCzxid = 0;

  constructor(index: number) {
    this.#index = index;
    this.#root = `/writer-${index}`;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get zxid(): number {
    return this.#zxid;
  }

  /** Opens the session and makes the nodes that are written to. */
  async begin(port: number): Promise<void> {
    this.#connection = await RawConnection.connect(port, { timeoutMs: sessionTimeoutMs });
    this.#session = this.#connection.credentials;
    for (const path of ['', '/counter', '/log', '/left', '/right']) {
      await this.#call(OpCode.create, createOf(`${this.#root}${path}`, '0', CreateFlag.persistent));
    }
    await this.#call(OpCode.create, createOf(this.#ephemeral, 'here', CreateFlag.ephemeral));
    this.#ephemeralCzxid = this.#zxid;
  }

  /** Writes until the connection breaks; `acknowledged` is called for each reply. */
  async write(acknowledged: () => void): Promise<void> {
    const connection = this.#open;
    try {
      for (;;) {
        const requests: Uint8Array[] = [];
        while (this.#sent - this.#acknowledged < windowMax)
          requests.push(this.#write(this.#sent++));
        connection.send(...requests);
        const reply = await this.#reply();
        assert.equal(reply.err, 0, `write ${this.#acknowledged} of writer ${this.#index} failed`);
        this.#acknowledged++;
        acknowledged();
      }
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
    }
  }

  /** Comes back to a restarted server with the same session and checks everything it wrote. */
  async resume(port: number): Promise<void> {
    const session = this.#session;
    assert.ok(session !== undefined);
    this.#connection = await RawConnection.connect(port, {
      session,
      timeoutMs: sessionTimeoutMs,
      lastZxidSeen: this.#zxid,
    });
    const { timeOut, sessionIdHi, sessionIdLo } = this.#connection.response;
    assert.ok(timeOut > 0, `the session of writer ${this.#index} is gone`);
    assert.deepEqual([sessionIdHi, sessionIdLo], [session.sessionIdHi, session.sessionIdLo]);
    await this.#check();
  }

  async #check(): Promise<void> {
    const counter = await this.#getData('/counter');
    const left = await this.#getData('/left');
    const right = await this.#getData('/right');
    const { children } = readGetChildrenResponse(
      new JuteReader((await this.#call(OpCode.getChildren, readOf(`${this.#root}/log`))).body),
    );
    assert.deepEqual(right.text, left.text, 'a multi was applied by half');
    assert.equal(right.stat.mzxid, left.stat.mzxid, 'the parts of a multi have one zxid');

    const applied = counter.stat.version + (children?.length ?? 0) + left.stat.version;
    const where = `writer ${this.#index}: ${applied} writes found, ${this.#acknowledged} acknowledged, ${this.#sent} sent`;
    assert.ok(applied >= this.#acknowledged, `an acknowledged write is lost; ${where}`);
    assert.ok(applied <= this.#sent, `a write appeared that was never sent; ${where}`);
    const expected = stateAfter(applied);
    assert.equal(counter.stat.version, expected.counterVersion, `version of the counter; ${where}`);
    assert.equal(counter.text, expected.counter, `value of the counter; ${where}`);
    assert.equal(left.stat.version, expected.pairVersion, `version of the pair; ${where}`);
    assert.equal(left.text, expected.pair, `value of the pair; ${where}`);
    assert.deepEqual([...(children ?? [])].sort(), expected.children, `children; ${where}`);
    await this.#checkEphemeral();
    this.#sent = applied;
    this.#acknowledged = applied;
  }

  async #checkEphemeral(): Promise<void> {
    const reply = await this.#call(OpCode.exists, readOf(this.#ephemeral));
    const { stat } = readExistsResponse(new JuteReader(reply.body));
    assert.equal(stat.czxid, this.#ephemeralCzxid, 'the ephemeral is not the one that was made');
    assert.equal(stat.ephemeralOwnerHi, this.#session?.sessionIdHi);
    assert.equal(stat.ephemeralOwnerLo, this.#session?.sessionIdLo);
  }

  async #getData(path: string): Promise<{ readonly text: string; readonly stat: Stat }> {
    const reply = await this.#call(OpCode.getData, readOf(`${this.#root}${path}`));
    const { data, stat } = readGetDataResponse(new JuteReader(reply.body));
    return { text: Buffer.from(data ?? []).toString('latin1'), stat };
  }

  /** The bytes of write number `n`. */
  #write(n: number): Uint8Array {
    const xid = ++this.#xid;
    switch (kindOf(n)) {
      case 'counter':
        return encodeRequest(xid, OpCode.setData, setDataOf(`${this.#root}/counter`, String(n)));
      case 'create':
        return encodeRequest(
          xid,
          OpCode.create,
          createOf(`${this.#root}/log/${childName(n)}`, String(n), CreateFlag.persistent),
        );
      case 'pair':
        return encodeRequest(xid, OpCode.multi, (writer) => {
          for (const side of ['left', 'right']) {
            writeMultiHeader(writer, OpCode.setData, false);
            setDataOf(`${this.#root}/${side}`, String(n))(writer);
          }
          writeMultiHeader(writer, -1, true);
        });
    }
  }

  async #call(type: number, write: (writer: JuteWriter) => void): Promise<ReplyFrame> {
    this.#open.send(encodeRequest(++this.#xid, type, write));
    const reply = await this.#reply();
    assert.equal(reply.err, 0, `request of type ${type} failed`);
    return reply;
  }

  async #reply(): Promise<ReplyFrame> {
    const frame = await this.#open.next();
    assert.equal(frame.kind, 'reply');
    assert.ok(frame.zxid >= this.#zxid, `zxid went back from ${this.#zxid} to ${frame.zxid}`);
    this.#zxid = frame.zxid;
    return frame;
  }

  get #open(): RawConnection {
    if (this.#connection === undefined) throw new Error('The writer is not connected');
    return this.#connection;
  }

  get #ephemeral(): string {
    return `${this.#root}/ephemeral`;
  }
}

type WriteKind = 'counter' | 'create' | 'pair';

function kindOf(n: number): WriteKind {
  return (['counter', 'create', 'counter', 'pair'] as const)[n % 4] as WriteKind;
}

function childName(n: number): string {
  return `n-${String(n).padStart(8, '0')}`;
}

/** What the tree shows after the first `count` writes. */
function stateAfter(count: number): {
  readonly counter: string;
  readonly counterVersion: number;
  readonly pair: string;
  readonly pairVersion: number;
  readonly children: readonly string[];
} {
  let counter = '0';
  let counterVersion = 0;
  let pair = '0';
  let pairVersion = 0;
  const children: string[] = [];
  for (let n = 0; n < count; n++) {
    const kind = kindOf(n);
    if (kind === 'create') {
      children.push(childName(n));
    } else if (kind === 'counter') {
      counter = String(n);
      counterVersion++;
    } else {
      pair = String(n);
      pairVersion++;
    }
  }
  return { counter, counterVersion, pair, pairVersion, children };
}

function createOf(path: string, data: string, flags: number): (writer: JuteWriter) => void {
  return (writer) => {
    writer.writeString(path);
    writer.writeBuffer(Buffer.from(data));
    writer.writeInt(openAcl.length);
    for (const entry of openAcl) writeAcl(writer, entry);
    writer.writeInt(flags);
  };
}

function setDataOf(path: string, data: string): (writer: JuteWriter) => void {
  return (writer) => {
    writer.writeString(path);
    writer.writeBuffer(Buffer.from(data));
    writer.writeInt(-1);
  };
}

function readOf(path: string): (writer: JuteWriter) => void {
  return (writer) => {
    writer.writeString(path);
    writer.writeBoolean(false);
  };
}

function writeMultiHeader(writer: JuteWriter, type: number, done: boolean): void {
  writer.writeInt(type);
  writer.writeBoolean(done);
  writer.writeInt(-1);
}
