/**
 * A ZooKeeper client. `connect` is where to begin; it works with any server that speaks ZooKeeper's protocol, from 3.4 on.
 */
export {
  AddWatchMode,
  ErrorCode,
  errorName,
  errorTable,
  formatLong,
  formatZxid,
  Perms,
} from '@meerkat/protocol';
export {
  type Acl,
  type AclEntry,
  creatorAllAcl,
  formatPerms,
  openAcl,
  parsePerms,
  readAcl,
} from './acl.ts';
export type {
  AddWatchOptions,
  CheckWatchesOptions,
  CreateOptions,
  RemoveWatchesOptions,
  VersionOptions,
  WatchOptions,
} from './call-options.ts';
export {
  bytes,
  type Codec,
  CodecError,
  type CodecErrorDetails,
  checked,
  json,
  utf8,
  ValidationError,
} from './codecs.ts';
export { type ConnectOptions, connect, open } from './connect.ts';
export { type ConnectTarget, formatServer, parseConnectString } from './connect-string.ts';
export type { Credential } from './credentials.ts';
export * from './errors.ts';
export type { SessionTicket } from './handshake.ts';
export type { CallEnd, CallStart, ClientHooks, DialEnd, WatchEventTold } from './hooks.ts';
export type { SessionId, Zxid } from './ids.ts';
export { type ClientLimits, defaultLimits } from './limits.ts';
export type { ListenerErrorHandler } from './listeners.ts';
export { type AtomicFile, fileStore } from './node/atomic-file.ts';
export { nodePorts } from './node/node-ports.ts';
export type { TlsFile, TlsOptions, TlsStore } from './node/tls-options.ts';
export { tlsTransport } from './node/tls-transport.ts';
export type { AclAndStat, ClientIdentity } from './operations/acls.ts';
export type { Reconfiguration } from './operations/admin.ts';
export type { ChildrenAndStat } from './operations/children.ts';
export type { Created, CreateMode } from './operations/create.ts';
export type { NodeData } from './operations/data.ts';
export type {
  MultiOperation,
  MultiReadOperation,
  MultiReadResult,
  MultiResult,
} from './operations/multi.ts';
export type { Data } from './operations/values.ts';
export type { PersistentWatchMode, WatchSelection } from './operations/watching.ts';
export type { ClientOptions } from './options.ts';
export { pathProblem, validatePath } from './paths.ts';
export type {
  ClientPorts,
  Clock,
  HostPort,
  Random,
  Resolver,
  SrvCallback,
  SrvRecord,
  Stream,
  StreamHandler,
  TimerHandle,
  Transport,
} from './ports.ts';
export type { RequestOptions } from './request.ts';
export { type SaslCredential, SaslError } from './sasl/digest-md5.ts';
export type { StandardIssue, StandardResult, StandardSchema } from './standard-schema.ts';
export { Stat, type StatFields } from './stat.ts';
export * from './states.ts';
export { TypedZnodes, type ValueAndStat, type ZnodeAccess } from './typed-znodes.ts';
export {
  type WatchChange,
  type WatchGap,
  type WatchNews,
  type WatchSource,
  WatchStream,
  type WatchStreamMode,
  type WatchStreamOptions,
} from './watch-stream.ts';
export type { WatchEvent, WatchEventType, Watcher } from './watches.ts';
export { ZooKeeper } from './zookeeper.ts';
