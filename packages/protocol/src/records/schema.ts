/**
 * Every record that ZooKeeper puts on a wire or a disk, once: `generator.ts` makes
 * `generated.ts` from it (`npm run generate`), and a test fails when that file is stale.
 *
 * Names and order of fields are those of ZooKeeper's `zookeeper.jute`. Types:
 *
 * | type | bytes | in TypeScript |
 * |---|---|---|
 * | `byte`, `int` | 1, 4 | number |
 * | `boolean` | 1 | boolean |
 * | `zxid`, `time` | 8 | Zxid, number: refused beyond 2^53 |
 * | `loose` | 8 | number, rounded beyond 2^53: only ever compared |
 * | `long` | 8 | two fields, `…Hi` and `…Lo`, signed 32-bit |
 * | `buffer` | 4 + n | Uint8Array or null; decoded ones are views |
 * | `ustring`, `ustring?` | 4 + n | string; with `?` also null |
 * | `X[]` | 4 + items | readonly X[], null when the count is -1 |
 * | a record's name | its fields | that record |
 */
export const schema: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // org.apache.zookeeper.data
  Id: { scheme: 'ustring', id: 'ustring' },
  Acl: { perms: 'int', id: 'Id' },
  Stat: {
    czxid: 'zxid',
    mzxid: 'zxid',
    ctime: 'time',
    mtime: 'time',
    version: 'int',
    cversion: 'int',
    aversion: 'int',
    ephemeralOwner: 'long',
    dataLength: 'int',
    numChildren: 'int',
    pzxid: 'zxid',
  },
  StatPersisted: {
    czxid: 'zxid',
    mzxid: 'zxid',
    ctime: 'time',
    mtime: 'time',
    version: 'int',
    cversion: 'int',
    aversion: 'int',
    ephemeralOwner: 'long',
    pzxid: 'zxid',
  },
  ClientInfo: { authScheme: 'ustring', user: 'ustring' },

  // org.apache.zookeeper.proto (ConnectRequest and ConnectResponse: see connect.ts)
  SetWatches: {
    relativeZxid: 'loose',
    dataWatches: 'ustring[]',
    existWatches: 'ustring[]',
    childWatches: 'ustring[]',
  },
  SetWatches2: {
    relativeZxid: 'loose',
    dataWatches: 'ustring[]',
    existWatches: 'ustring[]',
    childWatches: 'ustring[]',
    persistentWatches: 'ustring[]',
    persistentRecursiveWatches: 'ustring[]',
  },
  RequestHeader: { xid: 'int', type: 'int' },
  MultiHeader: { type: 'int', done: 'boolean', err: 'int' },
  AuthPacket: { type: 'int', scheme: 'ustring', auth: 'buffer' },
  ReplyHeader: { xid: 'int', zxid: 'zxid', err: 'int' },
  GetDataRequest: { path: 'ustring', watch: 'boolean' },
  SetDataRequest: { path: 'ustring', data: 'buffer', version: 'int' },
  ReconfigRequest: {
    joiningServers: 'ustring?',
    leavingServers: 'ustring?',
    newMembers: 'ustring?',
    curConfigId: 'loose',
  },
  SetDataResponse: { stat: 'Stat' },
  GetSASLRequest: { token: 'buffer' },
  SetSASLResponse: { token: 'buffer' },
  CreateRequest: { path: 'ustring', data: 'buffer', acl: 'Acl[]', flags: 'int' },
  CreateTTLRequest: { path: 'ustring', data: 'buffer', acl: 'Acl[]', flags: 'int', ttl: 'long' },
  DeleteRequest: { path: 'ustring', version: 'int' },
  DeleteContainerRequest: { path: 'ustring' },
  GetChildrenRequest: { path: 'ustring', watch: 'boolean' },
  GetAllChildrenNumberRequest: { path: 'ustring' },
  GetChildren2Request: { path: 'ustring', watch: 'boolean' },
  CheckVersionRequest: { path: 'ustring', version: 'int' },
  SyncRequest: { path: 'ustring' },
  SyncResponse: { path: 'ustring' },
  GetACLRequest: { path: 'ustring' },
  SetACLRequest: { path: 'ustring', acl: 'Acl[]', version: 'int' },
  SetACLResponse: { stat: 'Stat' },
  AddWatchRequest: { path: 'ustring', mode: 'int' },
  WatcherEvent: { type: 'int', state: 'int', path: 'ustring' },
  ErrorResponse: { err: 'int' },
  CreateResponse: { path: 'ustring' },
  Create2Response: { path: 'ustring', stat: 'Stat' },
  ExistsRequest: { path: 'ustring', watch: 'boolean' },
  ExistsResponse: { stat: 'Stat' },
  GetDataResponse: { data: 'buffer', stat: 'Stat' },
  GetChildrenResponse: { children: 'ustring[]' },
  GetAllChildrenNumberResponse: { totalNumber: 'int' },
  GetChildren2Response: { children: 'ustring[]', stat: 'Stat' },
  GetACLResponse: { acl: 'Acl[]', stat: 'Stat' },
  CheckWatchesRequest: { path: 'ustring', type: 'int' },
  RemoveWatchesRequest: { path: 'ustring', type: 'int' },
  GetEphemeralsRequest: { prefixPath: 'ustring' },
  GetEphemeralsResponse: { ephemerals: 'ustring[]' },
  WhoAmIResponse: { clientInfo: 'ClientInfo[]' },

  // org.apache.zookeeper.server.quorum
  LearnerInfo: { serverid: 'long', protocolVersion: 'int', configVersion: 'zxid' },
  QuorumPacket: { type: 'int', zxid: 'zxid', data: 'buffer', authinfo: 'Id[]' },
  QuorumAuthPacket: { magic: 'long', status: 'int', token: 'buffer' },

  // org.apache.zookeeper.server.persistence
  FileHeader: { magic: 'int', version: 'int', dbid: 'long' },

  // org.apache.zookeeper.txn
  TxnDigest: { version: 'int', treeDigest: 'long' },
  TxnHeader: { clientId: 'long', cxid: 'int', zxid: 'zxid', time: 'time', type: 'int' },
  CreateTxnV0: { path: 'ustring', data: 'buffer', acl: 'Acl[]', ephemeral: 'boolean' },
  CreateTxn: {
    path: 'ustring',
    data: 'buffer',
    acl: 'Acl[]',
    ephemeral: 'boolean',
    parentCVersion: 'int',
  },
  CreateTTLTxn: {
    path: 'ustring',
    data: 'buffer',
    acl: 'Acl[]',
    parentCVersion: 'int',
    ttl: 'long',
  },
  CreateContainerTxn: { path: 'ustring', data: 'buffer', acl: 'Acl[]', parentCVersion: 'int' },
  DeleteTxn: { path: 'ustring' },
  SetDataTxn: { path: 'ustring', data: 'buffer', version: 'int' },
  CheckVersionTxn: { path: 'ustring', version: 'int' },
  SetACLTxn: { path: 'ustring', acl: 'Acl[]', version: 'int' },
  CreateSessionTxn: { timeOut: 'int' },
  CloseSessionTxn: { paths2Delete: 'ustring[]' },
  ErrorTxn: { err: 'int' },
  Txn: { type: 'int', data: 'buffer' },
  MultiTxn: { txns: 'Txn[]' },
};
