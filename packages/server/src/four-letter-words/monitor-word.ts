import { descriptorsMax, descriptorsOpen } from '../listener/descriptors.ts';
import type { Summary } from './server-view.ts';
import { javaDouble } from './status-words.ts';
import { fullVersion } from './version.ts';
import { type Word, type WordContext, whenServing } from './word-context.ts';

/** `mntr`: every number, one per line, `zk_<name>\t<value>`. */
export const mntr: Word = whenServing((context) => {
  const lines = [
    ...gauges(context),
    ...(context.view.member?.gauges() ?? []),
    ...shellCounters(context),
    ...context.view.counters(),
    ...[...context.view.summaries()].flatMap(([name, summary]) => summaryEntries(name, summary)),
  ];
  return lines.map(([name, value]) => `zk_${name}\t${value}\n`).join('');
});

type Entry = readonly [string, string | number];

function gauges({ view, connections, dropProbability }: WordContext): readonly Entry[] {
  const totals = view.statistics();
  const max = descriptorsMax();
  return [
    ['version', fullVersion()],
    ['server_state', view.state],
    ['avg_latency', javaDouble(totals.latencyAvgMs)],
    ['min_latency', totals.latencyMinMs],
    ['max_latency', totals.latencyMaxMs],
    ['packets_received', totals.packetsReceived],
    ['packets_sent', totals.packetsSent],
    ['num_alive_connections', connections().size],
    ['outstanding_requests', totals.outstandingRequests],
    ['uptime', Math.floor(totals.uptimeMs)],
    ['znode_count', totals.nodeCount],
    ['watch_count', totals.watchCount],
    ['ephemerals_count', totals.ephemeralsCount],
    ['approximate_data_size', totals.approximateDataBytes],
    ['global_sessions', totals.globalSessions],
    ['local_sessions', totals.localSessions],
    ['open_file_descriptor_count', descriptorsOpen()],
    ['max_file_descriptor_count', Number.isFinite(max) ? max : -1],
    ['auth_failed_count', totals.authFailedCount],
    ['connection_drop_probability', javaDouble(dropProbability())],
    ['outstanding_tls_handshake', 0],
    ['non_mtls_remote_conn_count', 0],
    ['non_mtls_local_conn_count', 0],
  ];
}

function shellCounters({ listenerCounters }: WordContext): readonly Entry[] {
  const counters = listenerCounters();
  return [
    [
      'connection_rejected',
      counters.tooManyOfAddress + counters.tooManyInAll + counters.outOfDescriptors,
    ],
    ['sessionless_connections_expired', counters.handshakesMissed],
  ];
}

function summaryEntries(name: string, summary: Summary): readonly Entry[] {
  const { count, sum, min, max, quantiles = {} } = summary;
  return [
    [`avg_${name}`, javaDouble(count === 0 ? 0 : sum / count)],
    [`min_${name}`, min],
    [`max_${name}`, max],
    [`cnt_${name}`, count],
    [`sum_${name}`, sum],
    ...Object.entries(quantiles).map(([quantile, value]): Entry => [`${quantile}_${name}`, value]),
  ];
}
