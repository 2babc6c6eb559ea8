import { type ConfigurationKey, later, withoutEffect } from '../configuration-key.ts';

/** Sockets, metrics, audit, and what belongs to the Java machine. */
export const surroundingsKeys: readonly ConfigurationKey[] = [
  ...later('the audit log', {
    'audit.enable': 'false',
    'audit.impl.class': 'org.apache.zookeeper.audit.Log4jAuditLogger',
  }),
  ...withoutEffect('one event loop serves all connections, from one buffer', {
    serverCnxnFactory: 'org.apache.zookeeper.server.NIOServerCnxnFactory',
    'nio.numSelectorThreads': null,
    'nio.numWorkerThreads': null,
    'nio.directBufferBytes': '65536',
    'nio.shutdownTimeout': '5000',
    'netty.advancedFlowControl.enabled': 'false',
  }),
  ...later('TLS', {
    'netty.server.outstandingHandshake.limit': '-1',
    'netty.server.earlyDropSecureConnectionHandshakes': 'false',
  }),
  ...later('the admin server, which is off by default in ZooKeeper too', {
    'admin.enableServer': 'false',
    'admin.serverPort': '8080',
    'admin.serverAddress': '0.0.0.0',
    'admin.commandURL': '/commands',
    'admin.idleTimeout': '30000',
    'admin.httpVersion': '11',
    'admin.portUnification': 'false',
    'admin.forceHttps': 'false',
    'admin.needClientAuth': 'false',
    'admin.snapshot.enabled': 'true',
    'admin.restore.enabled': 'true',
    'admin.rateLimiterIntervalInMS': '300000',
  }),
  ...later('metrics over HTTP; `mntr` has them today', {
    'metricsProvider.className': 'org.apache.zookeeper.metrics.impl.DefaultMetricsProvider',
    'metricsProvider.*': null,
    'pathStats.enabled': 'false',
    'pathStats.*': null,
  }),
  ...withoutEffect('there is no Java machine to watch', {
    'jvm.pause.monitor': 'false',
    'jvm.pause.sleep.time.ms': '500',
    'jvm.pause.info-threshold.ms': '1000',
    'jvm.pause.warn-threshold.ms': '10000',
    'jmx.log4j.disable': 'false',
    'jmx.log4j.mbean': null,
  }),
  ...later('the record of the last messages between servers', {
    'messageTracker.BufferSize': '10',
    'messageTracker.Enabled': 'false',
  }),
  ...withoutEffect('a key of clients, not of servers', {
    disableAutoWatchReset: 'false',
    clientCnxnSocket: 'org.apache.zookeeper.ClientCnxnSocketNIO',
    'client.secure': 'false',
    'request.timeout': '0',
    shuffleDnsResponse: 'false',
    'hostProvider.dnsSrvRefreshIntervalSeconds': '60',
  }),
];
