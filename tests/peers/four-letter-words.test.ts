import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { AddWatchMode, CreateFlag, type JuteWriter, OpCode, writeAcl } from '@meerkat/protocol';
import { fourLetterWord } from './support/four-letter-words.ts';
import { temporaryDirectory } from './support/paths.ts';
import { peerTest } from './support/peers.ts';
import { encodeRequest, openAcl } from './support/requests.ts';
import { defaultTarget, type ServerUnderTest, withServer } from './support/server-under-test.ts';
import { RawConnection } from './support/wire.ts';

/*
 * The four-letter words beside Java's: two servers in the same state say the same, but for times and names. Scripts and
 * monitors read these texts line by line.
 */

const peers = ['java', 'zookeeper.jar'] as const;

/** Words in the order in which they are said; those that reset something are followed by what shows it. */
const words = [
  'ruok isro conf cons dump gtmk hash srvr stat wchc wchp wchs dirs'.split(' '),
  ['crst', 'cons', 'srst', 'srvr', 'stmk\0\0\0\0\0\0\u0001\u0003', 'gtmk'],
  // Not words, or not any more: closed without an answer.
  ['nope', 'kill', 'reqs', 'lsnp', 'RUOK'],
].flat();

peerTest('every word has the lines that it has in Java', peers, () =>
  withTwoServers({}, async (java, subject) => {
    for (const word of words) {
      const [expected, actual] = await Promise.all([say(java, word), say(subject, word)]);
      assert.equal(lines(actual), lines(expected), word);
    }
  }),
);

peerTest('envi says of the system what Java says, of itself what it is', peers, () =>
  withTwoServers({}, async (java, subject) => {
    const [expected, actual] = await Promise.all([say(java, 'envi'), say(subject, 'envi')]);
    const ofTheSystem = (text: string): string[] =>
      keys(text, '=').filter((key) => !/^(java|node)\./.test(key));
    assert.deepEqual(ofTheSystem(actual), ofTheSystem(expected));
  }),
);

/** What Java counts in queues, caches, threads, handshakes and elections that a standalone Meerkat does not have. */
const withoutCounterpart = new Set(
  `add_dead_watcher_stall_time cnxn_closed_without_zk_server_running commit_count dead_watchers_cleared
  dead_watchers_queued diff_count ensemble_auth_fail ensemble_auth_skip ensemble_auth_success insecure_admin_count
  learner_commit_received_count learner_proposal_received_count looking_count outstanding_changes_queued
  outstanding_changes_removed prep_processor_request_queued proposal_count quit_leading_due_to_disloyal_voter
  request_commit_queued requests_not_forwarded_to_commit_processor response_packet_cache_hits
  response_packet_cache_misses response_packet_get_children_cache_hits response_packet_get_children_cache_misses
  revalidate_count skip_learner_request_to_next_processor_count snap_count stale_replies stale_requests
  sync_processor_request_queued tls_handshake_exceeded unsuccessful_handshake`.split(/\s+/),
);
/** Of 3.9. */
const newer = ['zk_snapshot_error_count'];
/** Summaries that tell something of a standalone Meerkat too. */
const summaries = new Set(
  `latency client_response_size file_descriptor_count dbinittime fsynctime node_changed_watch_count
  node_children_watch_count node_created_watch_count node_deleted_watch_count readlatency snapshottime
  startup_snap_load_time startup_txns_load_time startup_txns_loaded sync_processor_batch_size updatelatency`.split(
    /\s+/,
  ),
);
/** The name of a metric with several numbers; null for another. */
const summaryOf = (name: string): string | null =>
  /^(?:avg|min|max|cnt|sum|p\d+)_(.*)$/.exec(name)?.[1] ?? null;

peerTest('mntr names nothing that Java does not, and leaves out nothing it could know', peers, () =>
  withTwoServers({}, async (java, subject) => {
    const expected = keys(await say(java, 'mntr'), '\t');
    const actual = keys(await say(subject, 'mntr'), '\t');
    assert.deepEqual(
      actual.filter((key) => !expected.includes(key) && !newer.includes(key)),
      [],
    );
    const missing = expected
      .filter((key) => !actual.includes(key))
      .map((key) => key.slice('zk_'.length));
    assert.deepEqual(
      missing.filter((name) => {
        const summary = summaryOf(name);
        return summary === null ? !withoutCounterpart.has(name) : summaries.has(summary);
      }),
      [],
    );
  }),
);

peerTest('hash tells the digests that Java tells of the same transactions', peers, () =>
  withServer({ target: 'java' }, async (java) => {
    const connection = await prepare(java);
    for (let xid = 100; xid < 700; xid++) {
      connection.send(encodeRequest(xid, OpCode.setData, setData('/n', `${xid}`)));
    }
    for (let replies = 0; replies < 600; replies++) await connection.next();
    const running = await say(java, 'hash');
    assert.equal(running.split('\n').length, 5);
    connection.destroy();
    await java.stop();
    const directory = temporaryDirectory('hash');
    cpSync(java.directory, directory, { recursive: true });
    await java.restart();
    const expected = await say(java, 'hash');
    await withServer({ target: defaultTarget, directory }, async (subject) => {
      const actual = await say(subject, 'hash');
      assert.equal(actual, expected);
      assert.equal(actual, running);
    });
  }),
);

peerTest('only srvr is answered unless the whitelist says so', peers, () =>
  withTwoServers({ '4lw.commands.whitelist': 'srvr, isro,mntr' }, async (java, subject) => {
    for (const word of ['ruok', 'conf', 'stat', 'wchs', 'isro', 'srvr', 'stmk12345678', 'nope']) {
      const [expected, actual] = await Promise.all([say(java, word), say(subject, word)]);
      assert.equal(lines(actual), lines(expected), word);
    }
  }),
);

/** A Java server and the one under test, the same session with the same nodes and watches on each. */
function withTwoServers(
  config: Readonly<Record<string, string>>,
  use: (java: ServerUnderTest, subject: ServerUnderTest) => Promise<void>,
): Promise<void> {
  return withServer({ target: 'java', config }, (java) =>
    withServer({ target: defaultTarget, config }, async (subject) => {
      const connections = await Promise.all([prepare(java), prepare(subject)]);
      await use(java, subject);
      for (const connection of connections) connection.destroy();
    }),
  );
}

async function prepare(server: ServerUnderTest): Promise<RawConnection> {
  const connection = await RawConnection.connect(server.port, { timeoutMs: 30_000 });
  let xid = 0;
  const call = async (type: number, write: (writer: JuteWriter) => void): Promise<void> => {
    connection.send(encodeRequest(++xid, type, write));
    await connection.next();
  };
  await call(OpCode.create, create('/n', CreateFlag.persistent));
  await call(OpCode.create, create('/n/e', CreateFlag.ephemeral));
  await call(OpCode.getData, read('/n'));
  await call(OpCode.exists, read('/none'));
  await call(OpCode.addWatch, (writer) => {
    writer.writeString('/p');
    writer.writeInt(AddWatchMode.persistentRecursive);
  });
  return connection;
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

function setData(path: string, data: string): (writer: JuteWriter) => void {
  return (writer) => {
    writer.writeString(path);
    writer.writeBuffer(Buffer.from(data));
    writer.writeInt(-1);
  };
}

function read(path: string): (writer: JuteWriter) => void {
  return (writer) => {
    writer.writeString(path);
    writer.writeBoolean(true);
  };
}

function say(server: ServerUnderTest, word: string): Promise<string> {
  return fourLetterWord(server.port, word);
}

/** The text without what differs from server to server; lists in no particular order are sorted. */
function lines(text: string): string {
  const masked = text
    .split('\n')
    // Java keeps buckets that have become empty for a while.
    .filter((line) => !line.startsWith('0 expire at '))
    .map((line) => line.replace(/^(\w+ Sets )\(\d+\)/, '$1'))
    .map((line) => line.replace(/^(Zookeeper version: |dataDir=|dataLogDir=).*/, '$1'))
    .map((line) => line.replace(/^(clientPort=)\d+/, '$1'))
    // A snapshot of 3.9 is longer by the zxid at its end.
    .map((line) =>
      line.replace(/^(dataDirSize=|dataLogSize=|datadir_size: |logdir_size: )\d+/, '$1'),
    )
    // A connection that has not said who it is (the one that asks) has a time there in Java.
    .map((line) => line.replace(/at the end of their handshake:$/, 'at TIME:'))
    .map((line) => line.replace(/at \w{3} \w{3} \d+ [\d:]+ \w+ \d+:$/, 'at TIME:'))
    .map((line) => line.replace(/0x1[0-9a-f]{10,}/g, 'SESSION').replace(/:\d{4,5}\b/g, ':PORT'))
    .map((line) => line.replace(/\b(est|lresp|llat|minlat|avglat|maxlat)=[\d.]+/g, '$1=N'))
    // How often the start was asked for counts too.
    .map((line) => line.replace(/^(Latency min\/avg\/max|Received|Sent): .*/, '$1'));
  const isList = /^(\s|\d expire|Connections Sets|\/)/m.test(text);
  return (isList ? masked.sort() : masked).join('\n');
}

function keys(text: string, separator: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.includes(separator))
    .map((line) => line.slice(0, line.indexOf(separator)));
}
