import { type ConfigurationKey, honoured } from '../configuration-key.ts';
import { text, trueOrFalse, wholeNumber } from '../readers.ts';

const port = wholeNumber({ min: 0, max: 65_535, unit: 'port' });

/** Directories, ports and the base unit of time. */
export const basicKeys: readonly ConfigurationKey[] = [
  honoured('dataDir', text, null, 'directory of the snapshots; required', (draft, value) => {
    draft.dataDir = value;
  }),
  honoured(
    'dataLogDir',
    text,
    null,
    'directory of the logs; dataDir unless set',
    (draft, value) => {
      draft.dataLogDir = value;
    },
  ),
  honoured('clientPort', port, null, 'the port for clients; required', (draft, value) => {
    draft.clientPort = value;
  }),
  honoured(
    'clientPortAddress',
    text,
    null,
    'the address to listen on; all unless set',
    (draft, value) => {
      draft.clientPortAddress = value;
    },
  ),
  honoured(
    'clientPortListenBacklog',
    wholeNumber({ min: -1, unit: 'connections' }),
    '-1',
    'connections that may wait in the kernel; -1 is 511 here (50 in Java)',
    (draft, value) => {
      draft.server.listener.backlog = value;
    },
  ),
  honoured(
    'tickTime',
    wholeNumber({ min: 1, unit: 'ms' }),
    '3000',
    'the base unit of time',
    (draft, value) => {
      draft.server.replica.tickTimeMs = value;
    },
  ),
  honoured(
    'minSessionTimeout',
    wholeNumber({ min: -1, unit: 'ms' }),
    '-1',
    'shortest session timeout granted; -1 is 2 ticks',
    (draft, value) => {
      draft.minSessionTimeoutMs = value;
    },
  ),
  honoured(
    'maxSessionTimeout',
    wholeNumber({ min: -1, unit: 'ms' }),
    '-1',
    'longest session timeout granted; -1 is 20 ticks',
    (draft, value) => {
      draft.maxSessionTimeoutMs = value;
    },
  ),
  honoured(
    'maxClientCnxns',
    wholeNumber({ min: 0, unit: 'connections' }),
    '60',
    'connections from one address; 0 is no limit, and the default of `meerkat server <port> <dataDir>`',
    (draft, value) => {
      draft.server.listener.maxClientCnxns = value;
    },
  ),
  honoured(
    'maxCnxns',
    wholeNumber({ min: 0, unit: 'connections' }),
    '0',
    'connections in all; 0 is no limit but that of open files',
    (draft, value) => {
      draft.server.listener.maxCnxns = value;
    },
  ),
  honoured(
    'nio.sessionlessCnxnTimeout',
    wholeNumber({ min: 1, unit: 'ms' }),
    '10000',
    'a connection without a whole handshake is closed after this',
    (draft, value) => {
      draft.server.listener.handshakeMs = value;
    },
  ),
  honoured(
    'clientTcpKeepAlive',
    trueOrFalse,
    'false',
    'TCP keep-alive for clients',
    (draft, value) => {
      draft.server.listener.tcpKeepAlive = value;
    },
  ),
  honoured(
    '4lw.commands.whitelist',
    text,
    'srvr',
    'four-letter words that are answered, with commas; * is all; srvr always is',
    (draft, value) => {
      draft.server.words.whitelist = value;
    },
  ),
];
