import assert from 'node:assert/strict';
import { CreateFlag, type JuteWriter, OpCode, writeAcl } from '@meerkat/protocol';
import { type PeerName, peerTest } from './support/peers.ts';
import { encodeRequest, openAcl, pingRequest } from './support/requests.ts';
import { defaultTarget, withServer } from './support/server-under-test.ts';
import { RawConnection } from './support/wire.ts';

/*
 * What a server does by its clock, and the differential test therefore cannot compare: sessions expire, containers and TTL
 * nodes go. A watch says when; nothing here waits for a fixed time.
 */
const peers: readonly PeerName[] = defaultTarget === 'java' ? ['java', 'zookeeper.jar'] : [];

const nodeCreated = 1;
const nodeDeleted = 2;

peerTest('a silent session expires and its ephemerals go', peers, () =>
  withServer({ config: { tickTime: 100, minSessionTimeout: 300 } }, async (server) => {
    const silent = await RawConnection.connect(server.port, { timeoutMs: 500 });
    assert.equal(silent.response.timeOut, 500);
    const witness = await Witness.connect(server.port);
    const brief = new Caller(silent);
    assert.equal(await brief.call(OpCode.create, create('/brief', CreateFlag.ephemeral)), 0);
    assert.equal(await witness.call(OpCode.exists, read('/brief')), 0);
    assert.equal(await witness.untilEvent(), `${nodeDeleted} /brief`);
    assert.equal(await witness.call(OpCode.exists, read('/brief')), -101);
    await silent.untilClosed();
    const late = await RawConnection.open(server.port);
    const answer = await late.handshake({ session: silent.credentials });
    assert.equal(answer.timeOut, 0);
    assert.equal(answer.sessionIdHi | answer.sessionIdLo, 0);
    assert.deepEqual([...(answer.passwd ?? [])], new Array<number>(16).fill(0));
    await late.untilClosed();
  }),
);

peerTest('pings keep a session alive, and its timeout is negotiated', peers, () =>
  withServer(
    { config: { tickTime: 100, minSessionTimeout: 300, maxSessionTimeout: 60_000 } },
    async (server) => {
      const short = await RawConnection.connect(server.port, { timeoutMs: 1 });
      assert.equal(short.response.timeOut, 300);
      const long = await RawConnection.connect(server.port, { timeoutMs: 10_000_000 });
      assert.equal(long.response.timeOut, 60_000);
      const kept = await RawConnection.connect(server.port, { timeoutMs: 1_500 });
      const caller = new Caller(kept);
      assert.equal(await caller.call(OpCode.create, create('/kept', CreateFlag.ephemeral)), 0);
      // A session that expires three times over is the clock by which the other must be alive.
      const witness = await Witness.connect(server.port);
      for (let round = 0; round < 3; round++) {
        const silent = new Caller(await RawConnection.connect(server.port, { timeoutMs: 800 }));
        const path = `/silent-${round}`;
        assert.equal(await silent.call(OpCode.create, create(path, CreateFlag.ephemeral)), 0);
        assert.equal(await witness.call(OpCode.exists, read(path)), 0);
        const pinging = setInterval(() => kept.send(pingRequest), 100);
        assert.equal(await witness.untilEvent(), `${nodeDeleted} ${path}`);
        clearInterval(pinging);
      }
      assert.equal(await witness.call(OpCode.exists, read('/kept')), 0);
    },
  ),
);

peerTest(
  'containers go when their last child has gone, TTL nodes when their time is up',
  peers,
  () =>
    withServer(
      {
        systemProperties: {
          'zookeeper.extendedTypesEnabled': 'true',
          'znode.container.checkIntervalMs': 100,
        },
      },
      async (server) => {
        const witness = await Witness.connect(server.port);
        const caller = new Caller(await RawConnection.connect(server.port));
        assert.equal(
          await caller.call(OpCode.createContainer, create('/c', CreateFlag.container)),
          0,
        );
        assert.equal(
          await caller.call(OpCode.create, create('/c/child', CreateFlag.persistent)),
          0,
        );
        assert.equal(await witness.call(OpCode.exists, read('/c')), 0);
        assert.equal(await caller.call(OpCode.delete, deletion('/c/child')), 0);
        assert.equal(await witness.untilEvent(), `${nodeDeleted} /c`);

        assert.equal(await witness.call(OpCode.exists, read('/ttl')), -101);
        assert.equal(await caller.call(OpCode.createTTL, createTtl('/ttl', 200)), 0);
        assert.equal(await witness.untilEvent(), `${nodeCreated} /ttl`);
        assert.equal(
          await caller.call(OpCode.create, create('/ttl/child', CreateFlag.persistent)),
          0,
        );
        assert.equal(await witness.call(OpCode.exists, read('/ttl')), 0);
        assert.equal(await caller.call(OpCode.createTTL, createTtl('/other', 100)), 0);
        assert.equal(await witness.call(OpCode.exists, read('/other')), 0);
        // The other one goes, though it is younger: a TTL node with a child stays.
        assert.equal(await witness.untilEvent(), `${nodeDeleted} /other`);
        assert.equal(await caller.call(OpCode.delete, deletion('/ttl/child')), 0);
        assert.equal(await witness.untilEvent(), `${nodeDeleted} /ttl`);
      },
    ),
);

/** Calls one operation after the other on one connection. */
class Caller {
  protected readonly connection: RawConnection;
  protected readonly events: string[] = [];
  #xid = 0;

  constructor(connection: RawConnection) {
    this.connection = connection;
  }

  /** The error code of the reply. */
  async call(type: number, write: (writer: JuteWriter) => void): Promise<number> {
    this.connection.send(encodeRequest(++this.#xid, type, write));
    for (;;) {
      const frame = await this.connection.next();
      if (frame.kind === 'reply') return frame.err;
      this.events.push(`${frame.event.type} ${frame.event.path}`);
    }
  }
}

/** A session that outlives the others and watches them. */
class Witness extends Caller {
  static async connect(port: number): Promise<Witness> {
    return new Witness(await RawConnection.connect(port, { timeoutMs: 60_000 }));
  }

  /** The next watch event as `type path`; pings keep the session alive meanwhile. */
  async untilEvent(): Promise<string> {
    const pinging = setInterval(() => this.connection.send(pingRequest), 200);
    try {
      for (;;) {
        const event = this.events.shift();
        if (event !== undefined) return event;
        const frame = await this.connection.next();
        if (frame.kind === 'event') this.events.push(`${frame.event.type} ${frame.event.path}`);
      }
    } finally {
      clearInterval(pinging);
    }
  }
}

function create(path: string, flags: number): (writer: JuteWriter) => void {
  return (writer) => {
    writer.writeString(path);
    writer.writeBuffer(Buffer.from('x'));
    writer.writeInt(openAcl.length);
    for (const entry of openAcl) writeAcl(writer, entry);
    writer.writeInt(flags);
  };
}

function createTtl(path: string, ttlMs: number): (writer: JuteWriter) => void {
  return (writer) => {
    create(path, CreateFlag.persistentWithTtl)(writer);
    writer.writeLongFromDouble(ttlMs);
  };
}

function deletion(path: string): (writer: JuteWriter) => void {
  return (writer) => {
    writer.writeString(path);
    writer.writeInt(-1);
  };
}

function read(path: string): (writer: JuteWriter) => void {
  return (writer) => {
    writer.writeString(path);
    writer.writeBoolean(true);
  };
}
