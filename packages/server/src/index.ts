export { ConfigurationError } from './configuration/configuration-error.ts';
export { renderConfigurationPage } from './configuration/configuration-page.ts';
export {
  configurationOfArguments,
  type ReadConfiguration,
  readConfigurationFile,
} from './configuration/read-configuration.ts';
export type {
  ClientPortConfig,
  ConfigurationRemark,
  FourLetterWordsConfig,
  ServerConfig,
} from './configuration/server-config.ts';
export { DataDirectoryLock, DirectoryLockedError } from './data-directory-lock.ts';
export { ExitCode } from './exit-codes.ts';
export { createLog, type LogFormat, type LogLevel, type LogOptions } from './logging/create-log.ts';
export { type Log, type LogFields, silentLog } from './logging/log.ts';
export { NodeClock } from './ports/node-clock.ts';
export { NodeDisk } from './ports/node-disk.ts';
export { NodePeerNetwork } from './ports/node-peer-network.ts';
export { NodeRandom } from './ports/node-random.ts';
export { type RunServerOptions, runServer } from './run-server.ts';
export { type RunningServer, startServer } from './start-server.ts';
