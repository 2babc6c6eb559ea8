/** Operation codes of client requests and transactions: ZooKeeper's `ZooDefs.OpCode`. */
export const OpCode = {
  notification: 0,
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTTL: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  createSession: -10,
  closeSession: -11,
  error: -1,
} as const;

/** One of the operation codes. */
export type OpCode = (typeof OpCode)[keyof typeof OpCode];

/** Request numbers with a meaning of their own (`ClientCnxn.java`). */
export const SpecialXid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/** The flags of a create (`CreateMode.java`). */
export const CreateFlag = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentWithTtl: 5,
  persistentSequentialWithTtl: 6,
} as const;

/** Types of watch events (`Watcher.Event.EventType`). The last three are made by clients only. */
export const EventType = {
  none: -1,
  nodeCreated: 1,
  nodeDeleted: 2,
  nodeDataChanged: 3,
  nodeChildrenChanged: 4,
  dataWatchRemoved: 5,
  childWatchRemoved: 6,
  persistentWatchRemoved: 7,
} as const;

/** One of the event types. */
export type EventType = (typeof EventType)[keyof typeof EventType];

/** States of a client in watch events (`Watcher.Event.KeeperState`); a server always sends `syncConnected`. */
export const KeeperState = {
  unknown: -1,
  disconnected: 0,
  noSyncConnected: 1,
  syncConnected: 3,
  authFailed: 4,
  connectedReadOnly: 5,
  saslAuthenticated: 6,
  closed: 7,
  expired: -112,
} as const;

/** One of the client states. */
export type KeeperState = (typeof KeeperState)[keyof typeof KeeperState];

/** Modes of `addWatch` (`AddWatchMode.java`). */
export const AddWatchMode = { persistent: 0, persistentRecursive: 1 } as const;

/** Kinds of watch that `removeWatches` and `checkWatches` name (`Watcher.WatcherType`). */
export const WatcherType = {
  children: 1,
  data: 2,
  any: 3,
  persistent: 4,
  persistentRecursive: 5,
} as const;

/** One of the kinds of watch. */
export type WatcherType = (typeof WatcherType)[keyof typeof WatcherType];

/** Permission bits of an ACL entry (`ZooDefs.Perms`). */
export const Perms = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;
