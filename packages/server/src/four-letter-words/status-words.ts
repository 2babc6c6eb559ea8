import { formatLong } from '@meerkat/protocol';
import type { ClientConnection } from '../listener/client-connection.ts';
import type { SessionStatistics } from './server-view.ts';
import { fullVersion } from './version.ts';
import { type Word, type WordContext, whenServing } from './word-context.ts';

/** `srvr`: the server in a few lines. */
export const srvr: Word = whenServing((context) => header(context) + statistics(context));

/** `stat`: the same with a line per connection. */
export const stat: Word = whenServing(function* (context) {
  yield `${header(context)}Clients:\n`;
  yield* connectionLines(context, true);
  yield `\n${statistics(context)}`;
});

/** `cons`: all about each connection. */
export const cons: Word = whenServing(function* (context) {
  yield* connectionLines(context, false);
  yield '\n';
});

/** `srst`: the counters of `srvr` start again. */
export const srst: Word = whenServing(({ view }) => {
  view.resetStatistics();
  return 'Server stats reset.\n';
});

/** `crst`: the counters of `cons` start again. */
export const crst: Word = whenServing(({ view }) => {
  view.resetConnectionStatistics();
  return 'Connection stats reset.\n';
});

/** A double as Java prints it: never without a fraction. */
export function javaDouble(value: number): string {
  const rounded = Math.round(value * 10_000) / 10_000;
  return Number.isInteger(rounded) ? `${rounded}.0` : String(rounded);
}

function header({ view }: WordContext): string {
  const readOnly =
    view.state === 'read-only' ? 'READ-ONLY mode; serving only read-only clients\n' : '';
  return `Zookeeper version: ${fullVersion()}\n${readOnly}`;
}

function statistics({ view, connections }: WordContext): string {
  const totals = view.statistics();
  const latency = `${totals.latencyMinMs}/${javaDouble(totals.latencyAvgMs)}/${totals.latencyMaxMs}`;
  return [
    `Latency min/avg/max: ${latency}`,
    `Received: ${totals.packetsReceived}`,
    `Sent: ${totals.packetsSent}`,
    `Connections: ${connections().size}`,
    `Outstanding: ${totals.outstandingRequests}`,
    `Zxid: 0x${totals.lastProcessedZxid.toString(16)}`,
    `Mode: ${view.state}`,
    `Node count: ${totals.nodeCount}`,
    view.member?.proposalLine() ?? '',
  ].join('\n');
}

function* connectionLines(context: WordContext, brief: boolean): Iterable<string> {
  for (const connection of context.connections().values()) {
    yield `${connectionLine(context, connection, brief)}\n`;
  }
}

/** ` /127.0.0.1:4711[1](queued=0,recved=2,sent=2,sid=0x…,…)` (`ServerCnxn.dumpConnectionInfo`). */
function connectionLine(
  context: WordContext,
  connection: ClientConnection,
  brief: boolean,
): string {
  const known = context.view.connectionStatistics(connection.id);
  // Java's selector keys: 1 waits for bytes to read, 4 for room to write. A word waits for nothing.
  const writing = connection.socket.writableLength > 0 ? 4 : 0;
  const interest = known === null ? 0 : (known.reading ? 1 : 0) + writing;
  const counts = `queued=${known?.outstandingRequests ?? 0},recved=${known?.packetsReceived ?? 1},sent=${known?.packetsSent ?? 0}`;
  const session =
    known === null || known.session === null || brief ? '' : sessionText(known.session);
  return ` ${peerText(connection)}[${interest}](${counts}${session})`;
}

/** The peer as Java prints a socket address. */
export function peerText({ address, port }: ClientConnection): string {
  return address.includes(':') ? `/[${address}]:${port}` : `/${address}:${port}`;
}

function sessionText(session: SessionStatistics): string {
  const { id, lastCxid, lastZxid } = session;
  const cxid = lastCxid >= 0 ? `,lcxid=0x${lastCxid.toString(16)}` : '';
  const zxid = lastZxid >= 0 ? lastZxid.toString(16) : 'f'.repeat(16);
  return [
    `,sid=${formatLong(id.hi, id.lo)}`,
    `,lop=${session.lastOperation}`,
    `,est=${session.establishedWallMs}`,
    `,to=${session.timeoutMs}`,
    cxid,
    `,lzxid=0x${zxid}`,
    `,lresp=${Math.floor(session.lastResponseMs)}`,
    `,llat=${session.lastLatencyMs}`,
    `,minlat=${session.minLatencyMs}`,
    `,avglat=${Math.floor(session.avgLatencyMs)}`,
    `,maxlat=${session.maxLatencyMs}`,
  ].join('');
}
