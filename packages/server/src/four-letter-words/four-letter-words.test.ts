import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import test from 'node:test';
import { emptyDraft } from '../configuration/draft.ts';
import type { ServerConfig } from '../configuration/server-config.ts';
import { ClientConnection } from '../listener/client-connection.ts';
import { silentLog } from '../logging/log.ts';
import { codeOf, FourLetterWords } from './four-letter-words.ts';
import type { ConnectionStatistics, ServerView, SessionIdView } from './server-view.ts';
import { javaDouble } from './status-words.ts';
import { javaDate } from './watch-words.ts';
import type { WordAnswer } from './word-context.ts';

/** What a Java server of version 3.8.0 answered in the state that the view below describes. */
function javaAnswer(name: string): string {
  return readFileSync(
    new URL(`../../src/four-letter-words/testdata/${name}.txt`, import.meta.url),
    'utf8',
  );
}

const sessionA: SessionIdView = { hi: 0x01000023, lo: 0x2f670000 };
const sessionB: SessionIdView = { hi: 0x01000023, lo: 0x2f670001 };
const expiryA = Date.UTC(2026, 10, 20, 19, 35, 28);
const expiryB = Date.UTC(2026, 10, 20, 19, 35, 24);

const statisticsOf: ReadonlyMap<number, ConnectionStatistics> = new Map([
  [
    1,
    {
      outstandingRequests: 0,
      packetsReceived: 2,
      packetsSent: 2,
      reading: true,
      session: {
        id: sessionB,
        lastOperation: 'GETD',
        establishedWallMs: 1795203313956,
        timeoutMs: 10_000,
        lastCxid: 1,
        lastZxid: 6,
        lastResponseMs: 2309916.7,
        lastLatencyMs: 1,
        minLatencyMs: 0,
        avgLatencyMs: 1.5,
        maxLatencyMs: 1,
      },
    },
  ],
  [
    2,
    {
      outstandingRequests: 0,
      packetsReceived: 10,
      packetsSent: 10,
      reading: true,
      session: {
        id: sessionA,
        lastOperation: 'PING',
        establishedWallMs: 1795203313869,
        timeoutMs: 10_000,
        lastCxid: 8,
        lastZxid: 6,
        lastResponseMs: 2312911,
        lastLatencyMs: 2,
        minLatencyMs: 0,
        avgLatencyMs: 4,
        maxLatencyMs: 13,
      },
    },
  ],
]);

function makeView(changes: Partial<ServerView>): ServerView {
  return {
    serving: true,
    state: 'standalone',
    member: null,
    statistics: () => ({
      latencyMinMs: 0,
      latencyAvgMs: 4.25,
      latencyMaxMs: 13,
      packetsReceived: 23,
      packetsSent: 21,
      outstandingRequests: 0,
      lastProcessedZxid: 6,
      nodeCount: 9,
      watchCount: 5,
      ephemeralsCount: 2,
      approximateDataBytes: 61,
      globalSessions: 2,
      localSessions: 0,
      authFailedCount: 0,
      uptimeMs: 7320.4,
    }),
    resetStatistics() {},
    onWordReceived() {},
    connectionStatistics: (id) => statisticsOf.get(id) ?? null,
    resetConnectionStatistics() {},
    sessionsByExpiry: () => [
      { expiresWallMs: expiryB, sessions: [sessionB] },
      { expiresWallMs: expiryA, sessions: [sessionA] },
    ],
    sessionsWithEphemerals: 1,
    ephemerals: () => [[sessionA, ['/a/e2', '/a/e']]],
    watchTotals: () => ({ connections: 2, paths: 3, watches: 4 }),
    watchesBySession: () => [
      [sessionB, ['/a']],
      [sessionA, ['/a', '/b', '/nope']],
    ],
    watchesByPath: () => [
      ['/a', [sessionA, sessionB]],
      ['/b', [sessionA]],
      ['/nope', [sessionA]],
    ],
    digests: () => [
      { zxid: 0x80, digest: 1371985504n },
      { zxid: 0x100, digest: -5n },
    ],
    counters: () => [['throttled_ops', 0]],
    summaries: () => [['readlatency', { count: 4, sum: 6, min: 0, max: 3, quantiles: { p99: 3 } }]],
    ...changes,
  };
}

function connectionAt(id: number, port: number): ClientConnection {
  const socket = { writableLength: 0 } as Socket;
  return new ClientConnection(id, socket, { address: '127.0.0.1', port, secure: false });
}

interface Bench {
  ask: (word: string, argument?: bigint) => string | null;
  words: FourLetterWords;
}

function setUp(options: {
  view?: Partial<ServerView>;
  whitelist?: string;
  wordPort?: number;
  config?: (config: ReturnType<typeof emptyDraft>['server']) => void;
}): Bench {
  const { server } = emptyDraft();
  server.words.whitelist = options.whitelist ?? '*';
  server.replica.tickTimeMs = 2000;
  server.replica.minSessionTimeoutMs = 4000;
  server.replica.maxSessionTimeoutMs = 40_000;
  server.replica.dataDir = '/data';
  server.replica.dataLogDir = '/data';
  options.config?.(server);
  const asking = connectionAt(3, options.wordPort ?? 44992);
  const connections = new Map(
    [connectionAt(1, 33580), connectionAt(2, 33576), asking].map((c) => [c.id, c]),
  );
  const words = new FourLetterWords(
    {
      view: makeView(options.view ?? {}),
      config: server satisfies ServerConfig,
      clientPort: () => 23817,
      connections: () => connections,
      listenerCounters: () => ({
        tooManyOfAddress: 1,
        tooManyInAll: 2,
        outOfDescriptors: 0,
        acceptErrors: 0,
        handshakesMissed: 4,
      }),
      dropProbability: () => 0,
      traceMask: 306n,
    },
    silentLog,
  );
  return {
    words,
    ask: (word, argument = 0n) => textOf(words.onWord(asking, codeOf(word), argument)),
  };
}

function textOf(answer: WordAnswer | null): string | null {
  return answer === null || typeof answer === 'string' ? answer : [...answer].join('');
}

/** The version is our own; everything else must agree. */
function withoutVersion(text: string | null): string {
  return (text ?? '').replace(/(version[:=\t ]+).*/g, '$1');
}

for (const word of [
  'ruok',
  'isro',
  'gtmk',
  'cons',
  'crst',
  'srst',
  'srvr',
  'wchc',
  'wchp',
  'wchs',
]) {
  test(`${word} answers as Java does`, () => {
    assert.equal(withoutVersion(setUp({}).ask(word)), withoutVersion(javaAnswer(word)));
  });
}

test('stat answers as Java does', () => {
  const statistics = { ...makeView({}).statistics(), packetsReceived: 24, packetsSent: 22 };
  const { ask } = setUp({ wordPort: 45070, view: { statistics: () => statistics } });
  const sorted = (text: string | null): string =>
    withoutVersion(text).split('\n').sort().join('\n');
  assert.equal(sorted(ask('stat')), sorted(javaAnswer('stat')));
  assert.match(
    ask('stat') ?? '',
    /^Zookeeper version: 3\.9\.5-meerkat-\d+\.\d+\.\d+, built on \d{4}-/,
  );
});

test('conf answers as Java does, but for the sizes of the files', () => {
  const text = setUp({}).ask('conf') ?? '';
  const sizes = /(Size=)\d+/g;
  assert.equal(text.replace(sizes, '$1'), javaAnswer('conf').replace(sizes, '$1'));
});

test('dump answers as Java does about sessions and ephemerals', () => {
  const sessionsOf = (text: string | null): string =>
    (text ?? '').split('Connections dump:')[0] ?? '';
  assert.equal(sessionsOf(setUp({}).ask('dump')), sessionsOf(javaAnswer('dump')));
  assert.match(
    setUp({}).ask('dump') ?? '',
    /Connections Sets \(3\)\/\(3\):\n1 expire at Fri Nov 20 19:35:24 UTC 2026:\n\tip: \/127.0.0.1:33580 sessionId: 0x10000232f670001\n/,
  );
});

test('cons after crst shows that nothing has happened yet', () => {
  const unused = new Map(
    [...statisticsOf].map(([id, statistics]) => {
      const { session } = statistics;
      const fresh = {
        lastOperation: 'NA',
        lastCxid: -1,
        lastZxid: -1,
        lastResponseMs: 0,
        lastLatencyMs: 0,
        minLatencyMs: 0,
        avgLatencyMs: 0,
        maxLatencyMs: 0,
      };
      const reset = session === null ? null : { ...session, ...fresh };
      return [id, { ...statistics, packetsReceived: 0, packetsSent: 0, session: reset }] as const;
    }),
  );
  const { ask } = setUp({
    wordPort: 45152,
    view: { connectionStatistics: (id) => unused.get(id) ?? null },
  });
  const lines = (text: string | null): string[] => (text ?? '').split('\n').sort();
  assert.deepEqual(lines(ask('cons')), lines(javaAnswer('cons-after-reset')));
});

test('mntr has the gauges that Java has, in lines of name, tab and value', () => {
  const read = (text: string): Map<string, string> =>
    new Map(
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t') as [string, string]),
    );
  const mine = read(setUp({}).ask('mntr') ?? '');
  const java = read(javaAnswer('mntr'));
  for (const name of mine.keys()) assert.ok(java.has(name), `${name} is no name of Java's`);
  for (const [name, value] of [
    ['zk_server_state', 'standalone'],
    ['zk_avg_latency', '4.25'],
    ['zk_znode_count', '9'],
    ['zk_watch_count', '5'],
    ['zk_uptime', '7320'],
    ['zk_connection_rejected', '3'],
    ['zk_sessionless_connections_expired', '4'],
    ['zk_connection_drop_probability', '0.0'],
    ['zk_avg_readlatency', '1.5'],
    ['zk_p99_readlatency', '3'],
    ['zk_cnt_readlatency', '4'],
  ] as const) {
    assert.equal(mine.get(name), value, name);
  }
});

test('hash, envi and dirs', () => {
  const { ask } = setUp({});
  assert.equal(ask('hash'), '80: 1371985504\n100: -5\n');
  assert.match(
    ask('envi') ?? '',
    /^Environment:\nzookeeper\.version=3\.9\.5-meerkat-.*\nhost\.name=/,
  );
  assert.equal(ask('dirs'), 'datadir_size: 0\nlogdir_size: 0\n');
});

test('stmk sets the mask that gtmk tells', () => {
  const { ask, words } = setUp({});
  assert.equal(words.argumentBytes(codeOf('stmk')), 8);
  assert.equal(words.argumentBytes(codeOf('gtmk')), 0);
  assert.equal(ask('stmk', 818n), '818');
  assert.equal(ask('gtmk'), '818');
});

test('a word outside the whitelist is told so; srvr always is inside', () => {
  const { ask, words } = setUp({ whitelist: 'stat, ruok' });
  assert.equal(ask('ruok'), 'imok');
  assert.match(ask('srvr') ?? '', /Mode: standalone/);
  assert.equal(ask('mntr'), 'mntr is not executed because it is not in the whitelist.\n');
  assert.equal(ask('isro'), 'isro is not executed because it is not in the whitelist.\n');
  assert.equal(words.argumentBytes(codeOf('stmk')), 0);
  const readOnly = setUp({
    whitelist: 'srvr',
    config: (config) => {
      config.replica.readOnlyModeEnabled = true;
    },
  });
  assert.equal(readOnly.ask('isro'), 'rw');
});

test('what telnet sends at its end gets no answer, and is told the whitelist when that is short', () => {
  const telnet = Buffer.from([0xff, 0xf4, 0xff, 0xfd]).toString('latin1');
  const { ask, words } = setUp({});
  assert.ok(words.isWord(codeOf(telnet)));
  assert.equal(ask(telnet), null);
  assert.equal(
    setUp({ whitelist: 'srvr' }).ask(telnet),
    'telnet close is not executed because it is not in the whitelist.\n',
  );
  assert.equal(words.isWord(44), false);
});

test('a server that does not serve says so, but for ruok and isro', () => {
  const { ask } = setUp({ view: { serving: false } });
  const text = 'This ZooKeeper instance is not currently serving requests';
  for (const word of [
    'srvr',
    'stat',
    'mntr',
    'conf',
    'cons',
    'dump',
    'wchs',
    'dirs',
    'srst',
    'crst',
  ]) {
    assert.equal(ask(word), `${text}\n`, word);
  }
  assert.equal(ask('hash'), text);
  assert.equal(ask('ruok'), 'imok');
  assert.equal(ask('isro'), 'null');
});

test('a word that fails closes its connection and nothing else', () => {
  const { ask } = setUp({
    view: {
      statistics() {
        throw new Error('no');
      },
    },
  });
  assert.equal(ask('srvr'), null);
});

test('numbers and dates look as in Java', () => {
  assert.deepEqual([0, 1, 4.25, 1.39194].map(javaDouble), ['0.0', '1.0', '4.25', '1.3919']);
  assert.equal(javaDate(expiryA), 'Fri Nov 20 19:35:28 UTC 2026');
  assert.equal(javaDate(Date.UTC(2026, 0, 3, 1, 2, 3)), 'Sat Jan 03 01:02:03 UTC 2026');
});
