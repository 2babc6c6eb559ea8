import {
  type Acl,
  AddWatchMode,
  CreateFlag,
  JuteWriter,
  OpCode,
  Perms,
  WatcherType,
  writeAcl,
} from '@meerkat/protocol';
import { encodeRequest, openAcl } from '../support/requests.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import type { DifferentialRequest } from './step.ts';
import { isAclPath, type TreeModel, watchKind } from './tree-model.ts';

/** What an operation is made from. */
export interface OperationSource {
  readonly random: SeededRandom;
  readonly model: TreeModel;
  /** The last zxid seen from the reference server. */
  readonly zxid: number;
}

/** An operation before it has a request number. */
export interface Operation {
  readonly type: number;
  readonly text: string;
  readonly paths: readonly string[];
  readonly write: (writer: JuteWriter) => void;
}

/** Gives an operation its request number and its bytes. */
export function toRequest(operation: Operation, xid: number): DifferentialRequest {
  const { type, text, paths, write } = operation;
  return { type, xid, paths, text, payload: encodeRequest(xid, type, write) };
}

/** Digest of `user:password` pairs that sessions authenticate with: user0:password0 to user2:password2. */
export const digestIds = [
  'user0:8hXlQd4HX7N3y07ciIXj1lOyE2A=',
  'user1:XDkd2dsEuhc9ImU3q8pa8UOdtpI=',
  'user2:lo/iTtNMP+gEZlpUNaCqLYO3i5U=',
] as const;

const sequentialFlags: readonly number[] = [
  CreateFlag.persistentSequential,
  CreateFlag.ephemeralSequential,
  CreateFlag.persistentSequentialWithTtl,
];

const validAcls: readonly (readonly Acl[])[] = [
  openAcl,
  [{ perms: Perms.read, id: { scheme: 'world', id: 'anyone' } }],
  [{ perms: Perms.all & ~Perms.delete, id: { scheme: 'world', id: 'anyone' } }],
  [{ perms: Perms.all, id: { scheme: 'auth', id: '' } }],
  [
    { perms: Perms.all, id: { scheme: 'auth', id: 'ignored' } },
    { perms: Perms.read, id: { scheme: 'world', id: 'anyone' } },
  ],
  [{ perms: Perms.read | Perms.admin, id: { scheme: 'digest', id: digestIds[0] } }],
  [
    { perms: Perms.all, id: { scheme: 'digest', id: digestIds[1] } },
    { perms: Perms.read, id: { scheme: 'ip', id: '127.0.0.1' } },
  ],
  [{ perms: Perms.all, id: { scheme: 'ip', id: '127.0.0.0/8' } }],
  [
    { perms: Perms.all, id: { scheme: 'ip', id: '10.0.0.0/8' } },
    { perms: Perms.admin, id: { scheme: 'world', id: 'anyone' } },
  ],
  [
    { perms: 0, id: { scheme: 'world', id: 'anyone' } },
    { perms: Perms.all, id: { scheme: 'digest', id: digestIds[2] } },
  ],
  [
    openAcl[0] as Acl,
    openAcl[0] as Acl,
    { perms: Perms.read, id: { scheme: 'ip', id: '127.0.0.1/32' } },
  ],
  [{ perms: 255, id: { scheme: 'world', id: 'anyone' } }],
];

const invalidAcls: readonly (readonly Acl[] | null)[] = [
  null,
  [],
  [{ perms: Perms.all, id: { scheme: 'world', id: 'someone' } }],
  [{ perms: Perms.all, id: { scheme: 'nonsense', id: 'x' } }],
  [{ perms: Perms.all, id: { scheme: 'digest', id: 'no-colon' } }],
  [{ perms: Perms.all, id: { scheme: 'digest', id: 'a:b:c' } }],
  [{ perms: Perms.all, id: { scheme: 'ip', id: 'not-an-address' } }],
  [{ perms: Perms.all, id: { scheme: 'ip', id: '127.0.0.1/99' } }],
  [{ perms: Perms.all, id: { scheme: '', id: '' } }],
  [openAcl[0] as Acl, { perms: Perms.all, id: { scheme: 'super', id: '' } }],
];

/** A create of any kind. */
export function create(source: OperationSource): Operation {
  const { random } = source;
  const type = createType(random);
  return createOf(source, type, createFlags(random, type));
}

/** A create whose flags fit it: in a multi, 3.8 makes something of those that do not. */
function createInMulti(source: OperationSource): Operation {
  const { random } = source;
  const type = createType(random);
  return createOf(source, type, fittingFlags(random, type));
}

/** A create of one kind, with the flags it is given. */
function createOf({ random, model }: OperationSource, type: number, flags: number): Operation {
  const sequential = sequentialFlags.includes(flags);
  const path = sequential && random.oneIn(3) ? `${model.newPath()}/` : model.newPath();
  const data = someData(random);
  const acl = someAcl(random, path);
  const ttl = random.oneIn(8)
    ? random.pick([0, -1, -1000, 2 ** 40, 2 ** 45])
    : 1_000 + random.below(10 ** 9);
  return {
    type,
    paths: [path],
    text: `${opName(type)} ${show(path)} flags ${flags}${type === OpCode.createTTL ? ` ttl ${ttl}` : ''} data ${data?.length ?? 'null'} acl ${showAcl(acl)}`,
    write: (writer) => {
      writer.writeString(path);
      writer.writeBuffer(data);
      writeAcls(writer, acl);
      writer.writeInt(flags);
      if (type === OpCode.createTTL) writer.writeLongFromDouble(ttl);
    },
  };
}

export function deleteNode({ random, model }: OperationSource): Operation {
  return pathAndInt(OpCode.delete, model.path(), someVersion(random), 'version');
}

export function check({ random, model }: OperationSource): Operation {
  return pathAndInt(OpCode.check, model.path(), someVersion(random), 'version');
}

export function setData({ random, model }: OperationSource): Operation {
  const path = model.path();
  const data = someData(random);
  const version = someVersion(random);
  return {
    type: OpCode.setData,
    paths: [path],
    text: `setData ${show(path)} data ${data?.length ?? 'null'} version ${version}`,
    write: (writer) => {
      writer.writeString(path);
      writer.writeBuffer(data);
      writer.writeInt(version);
    },
  };
}

export function setAcl({ random, model }: OperationSource): Operation {
  const path = model.path();
  const acl = someAcl(random, path);
  const version = someVersion(random);
  return {
    type: OpCode.setACL,
    paths: [path],
    text: `setACL ${show(path)} acl ${showAcl(acl)} version ${version}`,
    write: (writer) => {
      writer.writeString(path);
      writeAcls(writer, acl);
      writer.writeInt(version);
    },
  };
}

/** exists, getData, getChildren or getChildren2, half of them with a watch where that is comparable. */
export function read({ random, model }: OperationSource): Operation {
  const type = random.pick([
    OpCode.exists,
    OpCode.getData,
    OpCode.getChildren,
    OpCode.getChildren2,
  ]);
  const path = random.oneIn(100) ? '' : model.path();
  // Trunk refuses exists without READ, so such a watch would exist in 3.8 only.
  const watchable =
    watchKind(path) === 'standard' && path !== '' && !(type === OpCode.exists && isAclPath(path));
  const watch = watchable && random.oneIn(2);
  if (watch) model.noteWatch(path);
  return {
    type,
    paths: [path],
    text: `${opName(type)} ${show(path)}${watch ? ' watch' : ''}`,
    write: (writer) => {
      writer.writeString(path);
      writer.writeBoolean(watch);
    },
  };
}

/** An operation whose record is one path, or none. */
export function pathOnly({ random, model }: OperationSource): Operation {
  const type = random.pick([
    OpCode.getACL,
    OpCode.sync,
    OpCode.getAllChildrenNumber,
    OpCode.getEphemerals,
    OpCode.getACL,
  ]);
  let path: string | null = model.path();
  if (type === OpCode.getEphemerals && random.oneIn(2))
    path = random.pick(['/', '', ' / ', '/a', '/acl']);
  return {
    type,
    paths: [path],
    text: `${opName(type)} ${show(path)}`,
    write: (writer) => writer.writeString(path),
  };
}

export function whoAmI(): Operation {
  return { type: OpCode.whoAmI, paths: [], text: 'whoAmI', write: () => {} };
}

export function addWatch({ random, model }: OperationSource): Operation {
  const path = model.pathOfKind('persistent', 'recursive');
  const kind = watchKind(path);
  model.noteWatch(path);
  if (kind === 'standard' || random.oneIn(50)) return pathAndInt(OpCode.addWatch, path, 7, 'mode');
  const mode = kind === 'persistent' ? AddWatchMode.persistent : AddWatchMode.persistentRecursive;
  return pathAndInt(OpCode.addWatch, path, mode, 'mode');
}

export function removeOrCheckWatches({ random, model }: OperationSource): Operation {
  const type = random.pick([OpCode.checkWatches, OpCode.removeWatches]);
  const path = model.watchedPath();
  // Java 3.8 removes a persistent watch from one table when asked for that kind; trunk only by its mode.
  const kinds =
    watchKind(path) === 'standard'
      ? [WatcherType.children, WatcherType.data, WatcherType.any]
      : [WatcherType.any];
  return pathAndInt(type, path, random.oneIn(60) ? 9 : random.pick(kinds), 'kind');
}

export function setWatches({ random, model, zxid }: OperationSource): Operation {
  const type = random.pick([OpCode.setWatches, OpCode.setWatches2]);
  const relativeZxid = random.pick([0, zxid, Math.max(0, zxid - random.below(200))]);
  const lists = (
    type === OpCode.setWatches
      ? (['standard', 'standard', 'standard'] as const)
      : (['standard', 'standard', 'standard', 'persistent', 'recursive'] as const)
  ).map((kind) => {
    const paths: string[] = [];
    for (let i = random.below(4); i > 0; i--) {
      const path = model.pathOfKind(kind);
      if (watchKind(path) === kind) paths.push(path);
    }
    return paths;
  });
  return {
    type,
    paths: lists.flat(),
    text: `${opName(type)} since ${relativeZxid}: ${lists.map((paths) => `[${paths.map(show).join(' ')}]`).join(' ')}`,
    write: (writer) => {
      writer.writeLongFromDouble(relativeZxid);
      for (const paths of lists) {
        writer.writeInt(paths.length);
        for (const path of paths) writer.writeString(path);
      }
    },
  };
}

/** Several writes in one transaction. */
export function multi(source: OperationSource): Operation {
  const { random } = source;
  const parts: Operation[] = [];
  for (let i = random.below(6); i >= 0; i--) {
    parts.push(
      random.weighted([
        [5, createInMulti],
        [3, deleteNode],
        [4, setData],
        [3, check],
      ])(source),
    );
  }
  if (random.oneIn(30)) parts.length = 0;
  if (random.oneIn(40)) parts.push(read(source));
  return multiOf(OpCode.multi, parts);
}

/** Several reads in one request. */
export function multiRead(source: OperationSource): Operation {
  const { random, model } = source;
  const parts: Operation[] = [];
  for (let i = random.below(5); i >= 0; i--) {
    const type = random.pick([OpCode.getData, OpCode.getChildren]);
    const path = model.path();
    // The watch flag has no effect in a multiRead.
    const watch = random.oneIn(2);
    parts.push({
      type,
      paths: [path],
      text: `${opName(type)} ${show(path)}`,
      write: (writer) => {
        writer.writeString(path);
        writer.writeBoolean(watch);
      },
    });
  }
  return multiOf(OpCode.multiRead, parts);
}

export function multiOf(type: number, parts: readonly Operation[]): Operation {
  return {
    type,
    paths: parts.map((part) => part.paths[0] ?? ''),
    text: `${opName(type)}(${parts.map((part) => part.text).join(', ')})`,
    write: (writer) => {
      for (const part of parts) {
        writer.writeInt(part.type);
        writer.writeBoolean(false);
        writer.writeInt(-1);
        part.write(writer);
      }
      writer.writeInt(-1);
      writer.writeBoolean(true);
      writer.writeInt(-1);
    },
  };
}

export function reconfig({ random }: OperationSource): Operation {
  return {
    type: OpCode.reconfig,
    paths: [],
    text: 'reconfig',
    write: (writer) => {
      writer.writeString(random.oneIn(2) ? null : 'server.2=localhost:1:2;3');
      writer.writeString(null);
      writer.writeString(null);
      writer.writeLong(-1, -1);
    },
  };
}

/** An operation that is cut short: every server answers MARSHALLINGERROR and lives on. Single writes
 * are not cut: 3.8 gives such a one a zxid, trunk does not. */
export function truncated(source: OperationSource): Operation {
  const whole = source.random.pick([
    read,
    pathOnly,
    addWatch,
    removeOrCheckWatches,
    setWatches,
    multi,
    multiRead,
    reconfig,
  ])(source);
  const writer = new JuteWriter(128);
  whole.write(writer);
  const bytes = writer.toBytes().slice(0, source.random.below(writer.length));
  return {
    type: whole.type,
    paths: whole.paths,
    text: `the first ${bytes.length} bytes of ${whole.text}`,
    write: (target) => target.writeBytes(bytes, 0, bytes.length),
  };
}

/** Paths as bytes: null, or text that is not UTF-8, which Java reads with U+FFFD in place of what it cannot decode. */
const oddTexts: readonly (string | null)[] = [
  null,
  '2fff',
  '2fc0af',
  '2fe28c',
  '2feda0bdedb0b1',
  '2ff09f98',
  '2ff09f9880',
  '2ff8888080',
  '2fe0809f61',
  '2f61ffc3a9',
];

/** A request with a path that is no proper text. */
export function oddText({ random }: OperationSource): Operation {
  const text = random.pick(oddTexts);
  // A null path is OK for a few requests in Java, which no client sends; the others refuse it.
  const type =
    text === null
      ? random.pick([OpCode.getData, OpCode.getACL, OpCode.getAllChildrenNumber])
      : random.pick([OpCode.getData, OpCode.sync, OpCode.delete, OpCode.setData, OpCode.create]);
  return {
    type,
    paths: [],
    text: `${opName(type)} of the text ${text}`,
    write: (writer) => {
      writer.writeBuffer(text === null ? null : Buffer.from(text, 'hex'));
      if (type === OpCode.getData) writer.writeBoolean(false);
      if (type === OpCode.setData || type === OpCode.create) writer.writeBuffer(null);
      if (type === OpCode.create) writeAcls(writer, openAcl);
      if (type !== OpCode.getData) writer.writeInt(0);
    },
  };
}

/** Quota nodes of `root`, made or changed the way `setquota` does. */
export function quota(source: OperationSource): Operation[] {
  const { random } = source;
  const root = random.pick(['/q1', '/q2', '/q2/x']);
  const node = `/zookeeper/quota${root}`;
  const limits = random.pick([
    'count=5,bytes=-1',
    'count=-1,bytes=100',
    'count=-1,bytes=-1=;byteHardLimit=300;countHardLimit=-1',
    'count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=12',
    'count=3,bytes=50=;byteHardLimit=1000;countHardLimit=20',
  ]);
  if (random.oneIn(2)) return [plainSetData(`${node}/zookeeper_limits`, limits)];
  if (random.oneIn(6)) {
    const name = random.pick(['zookeeper_limits', 'zookeeper_stats']);
    return [pathAndInt(OpCode.delete, `${node}/${name}`, -1, 'version')];
  }
  return [
    plainCreate('/zookeeper/quota/q2', ''),
    plainCreate(node, ''),
    plainCreate(`${node}/zookeeper_limits`, limits),
    plainCreate(`${node}/zookeeper_stats`, 'count=0,bytes=0'),
  ];
}

/** Reads what a quota counts. */
export function readQuota({ random }: OperationSource): Operation {
  const path = `/zookeeper/quota${random.pick(['/q1', '/q2', '/q2/x'])}/${random.pick(['zookeeper_stats', 'zookeeper_limits'])}`;
  return {
    type: OpCode.getData,
    paths: [path],
    text: `getData ${path}`,
    write: (writer) => {
      writer.writeString(path);
      writer.writeBoolean(false);
    },
  };
}

/** A persistent node open to everybody. */
export function plainCreate(path: string, data: string): Operation {
  return {
    type: OpCode.create,
    paths: [path],
    text: `create ${path} '${data}'`,
    write: (writer) => {
      writer.writeString(path);
      writer.writeBuffer(Buffer.from(data));
      writeAcls(writer, openAcl);
      writer.writeInt(CreateFlag.persistent);
    },
  };
}

function plainSetData(path: string, data: string): Operation {
  return {
    type: OpCode.setData,
    paths: [path],
    text: `setData ${path} '${data}'`,
    write: (writer) => {
      writer.writeString(path);
      writer.writeBuffer(Buffer.from(data));
      writer.writeInt(-1);
    },
  };
}

function pathAndInt(type: number, path: string, value: number, what: string): Operation {
  return {
    type,
    paths: [path],
    text: `${opName(type)} ${show(path)} ${what} ${value}`,
    write: (writer) => {
      writer.writeString(path);
      writer.writeInt(value);
    },
  };
}

function createType(random: SeededRandom): number {
  return random.weighted([
    [10, OpCode.create],
    [6, OpCode.create2],
    [2, OpCode.createContainer],
    [3, OpCode.createTTL],
  ]);
}

function createFlags(random: SeededRandom, type: number): number {
  // A createTTL with flags of another kind and no ttl ends the Java server when it applies the transaction.
  if (random.oneIn(40))
    return random.pick(type === OpCode.createTTL ? [7, -1, 99] : [7, -1, 99, 4, 5, 6, 0]);
  return fittingFlags(random, type);
}

function fittingFlags(random: SeededRandom, type: number): number {
  if (type === OpCode.createContainer) return CreateFlag.container;
  if (type === OpCode.createTTL)
    return random.pick([CreateFlag.persistentWithTtl, CreateFlag.persistentSequentialWithTtl]);
  return random.weighted([
    [8, CreateFlag.persistent],
    [4, CreateFlag.ephemeral],
    [3, CreateFlag.persistentSequential],
    [2, CreateFlag.ephemeralSequential],
  ]);
}

function someData(random: SeededRandom): Uint8Array | null {
  if (random.oneIn(8)) return null;
  if (random.oneIn(8)) return new Uint8Array(0);
  return random.bytes(random.oneIn(30) ? 3_000 : random.below(40));
}

function someVersion(random: SeededRandom): number {
  return random.below(10) < 6
    ? -1
    : random.oneIn(20)
      ? random.pick([-2, 2 ** 31 - 1, -(2 ** 31)])
      : random.below(4);
}

function someAcl(random: SeededRandom, path: string): readonly Acl[] | null {
  if (random.oneIn(25)) return random.pick(invalidAcls);
  return isAclPath(path) && random.oneIn(2) ? random.pick(validAcls) : openAcl;
}

function writeAcls(writer: JuteWriter, acl: readonly Acl[] | null): void {
  writer.writeInt(acl === null ? -1 : acl.length);
  for (const entry of acl ?? []) writeAcl(writer, entry);
}

function showAcl(acl: readonly Acl[] | null): string {
  if (acl === openAcl) return 'open';
  return (
    acl?.map((entry) => `${entry.id.scheme}:${entry.id.id}:${entry.perms}`).join(',') ?? 'null'
  );
}

function show(path: string): string {
  return JSON.stringify(path);
}

function opName(type: number): string {
  return Object.entries(OpCode).find(([, code]) => code === type)?.[0] ?? String(type);
}
