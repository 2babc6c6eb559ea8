import { type Acl, type JuteWriter, OpCode } from '@meerkat/protocol';
import type { SeededRandom } from '../seeded-random.ts';
import type { ModelRead } from './model-reads.ts';
import { defaultTtlMs, type ModelWrite } from './model-tree.ts';
import * as operations from './operations.ts';

/** A request drawn at random; few paths, so that they meet. */
export function drawRequest(random: SeededRandom, lastZxid: number): ModelRead | ModelWrite {
  if (random.percent(45)) return drawRead(random, lastZxid);
  if (random.percent(12)) {
    const parts = Array.from({ length: random.below(5) }, () => drawPart(random, true));
    return { kind: 'multi', parts };
  }
  if (random.percent(8)) {
    const acl = pick(random, acls);
    return { kind: 'setAcl', path: drawPath(random), acl, version: drawVersion(random) };
  }
  return drawPart(random, false);
}

/** The request as a client sends it. */
export function encodeRequest(request: ModelRead | ModelWrite): operations.Operation {
  switch (request.kind) {
    case 'create': {
      const { path, data, acl, flags, type, ttlMs = defaultTtlMs } = request;
      return operations.create(path, { data, acl, flags, type, ttlMs });
    }
    case 'delete':
      return operations.remove(request.path, request.version);
    case 'setData':
      return operations.setData(request.path, request.data, request.version);
    case 'setAcl':
      return operations.setAcl(request.path, request.acl, request.version);
    case 'check':
      return operations.check(request.path, request.version);
    case 'multi':
      return operations.multi(request.parts.map(encodeRequest));
    case 'multiRead':
      return operations.multi(request.parts.map(encodeRequest), OpCode.multiRead);
    case 'reconfig':
      return operations.reconfig(request);
    case 'closeSession':
      return [OpCode.closeSession, () => {}];
    case 'exists':
      return operations.exists(request.path, request.watch);
    case 'getData':
      return operations.getData(request.path, request.watch);
    case 'getChildren':
      return operations.getChildren(request.path, request.watch);
    case 'getChildren2':
      return operations.getChildren2(request.path, request.watch);
    case 'getAcl':
      return operations.onPath(OpCode.getACL, request.path);
    case 'getAllChildrenNumber':
    case 'getEphemerals':
    case 'sync':
      return operations.onPath(OpCode[request.kind], request.path);
    case 'addWatch':
      return operations.onPathWith(OpCode.addWatch, request.path, request.mode);
    case 'removeWatches':
    case 'checkWatches':
      return operations.onPathWith(OpCode[request.kind], request.path, request.type);
    case 'setWatches':
      return operations.setWatches(request.relativeZxid, request);
    case 'malformed':
      return [OpCode.setData, (writer: JuteWriter) => writer.writeInt(12_345)];
  }
}

function drawPart(random: SeededRandom, isInMulti: boolean): ModelWrite {
  const choice = random.below(100);
  const path = drawPath(random);
  if (choice < 50) return drawCreate(random, path, isInMulti);
  if (choice < 70) return { kind: 'delete', path, version: drawVersion(random) };
  if (choice < 95 || !isInMulti) {
    return { kind: 'setData', path, data: drawData(random), version: drawVersion(random) };
  }
  return { kind: 'check', path, version: drawVersion(random) };
}

function drawCreate(random: SeededRandom, path: string, isInMulti: boolean): ModelWrite {
  const acl = random.percent(80) ? open : pick(random, acls);
  const data = drawData(random);
  const choice = random.below(100);
  if (choice < 8) {
    return { kind: 'create', type: OpCode.createContainer, path, data, acl, flags: 4 };
  }
  if (choice < 16) {
    const flags = 5 + random.below(2);
    return { kind: 'create', type: OpCode.createTTL, path, data, acl, flags };
  }
  const type = random.below(2) === 0 ? OpCode.create : OpCode.create2;
  // What a multi makes of the other flags depends on its operation; requests of their own refuse them.
  const flags = isInMulti || random.percent(95) ? random.below(4) : 4 + random.below(4);
  return { kind: 'create', type, path, data, acl, flags };
}

function drawRead(random: SeededRandom, lastZxid: number): ModelRead {
  const path = drawPath(random);
  const watch = random.percent(40);
  switch (random.below(14)) {
    case 0:
    case 1:
      return { kind: 'exists', path, watch };
    case 2:
    case 3:
      return { kind: 'getData', path, watch };
    case 4:
    case 5:
      return { kind: 'getChildren', path, watch };
    case 6:
      return { kind: 'getChildren2', path, watch };
    case 7:
      return { kind: 'getAcl', path };
    case 8:
      return {
        kind: pick(random, ['getAllChildrenNumber', 'getEphemerals', 'sync'] as const),
        path: pick(random, plainPaths),
      };
    case 9: {
      const parts = Array.from({ length: random.below(4) }, () => ({
        kind: pick(random, ['getData', 'getChildren'] as const),
        path: drawPath(random),
        watch: false,
      }));
      return { kind: 'multiRead', parts };
    }
    case 10:
      return { kind: 'addWatch', path: pick(random, plainPaths), mode: random.below(2) };
    case 11:
      return {
        kind: pick(random, ['removeWatches', 'checkWatches'] as const),
        path: pick(random, plainPaths),
        type: 1 + random.below(5),
      };
    case 12:
      return drawSetWatches(random, lastZxid);
    default:
      return random.percent(30) ? { kind: 'malformed' } : { kind: 'getData', path, watch };
  }
}

function drawSetWatches(random: SeededRandom, lastZxid: number): ModelRead {
  const some = (): string[] => plainPaths.filter(() => random.percent(15));
  const relativeZxid = Math.max(0, lastZxid - random.below(20));
  return {
    kind: 'setWatches',
    relativeZxid,
    data: some(),
    exist: some(),
    child: some(),
    persistent: some(),
    recursive: some(),
  };
}

function drawPath(random: SeededRandom): string {
  return random.percent(95) ? pick(random, plainPaths) : pick(random, oddPaths);
}

function drawVersion(random: SeededRandom): number {
  return random.percent(70) ? -1 : random.below(3);
}

function drawData(random: SeededRandom): string | null {
  if (random.percent(10)) return null;
  return random.percent(5) ? 'long '.repeat(random.below(400)) : 'd'.repeat(random.below(30));
}

function pick<T>(random: SeededRandom, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

/** The credentials of clients that prove who they are. */
export const credentials = 'user:secret';
/** The id that goes with them. */
export const digestId = 'user:5w9W4eL3797Y4Wq8AcKUPPk8ha4=';

const plainPaths = [
  '/',
  '/a',
  '/b',
  '/a/x',
  '/a/y',
  '/a/x/1',
  '/b/e',
  '/猫',
  '/猫/é',
  '/zookeeper',
];
const oddPaths = [
  '',
  'a',
  '/a/',
  '/a//x',
  '/a/.',
  '/zookeeper/config',
  '/zookeeper/quota',
  '/a/../b',
];

const open: readonly Acl[] = operations.acl('world', 'anyone');
const acls: readonly (readonly Acl[])[] = [
  open,
  open,
  operations.acl('world', 'anyone', 1),
  operations.acl('world', 'anyone', 30),
  operations.acl('auth', ''),
  [...operations.acl('digest', digestId, 31), ...operations.acl('world', 'anyone', 1)],
  operations.acl('digest', digestId, 7),
  operations.acl('nobody', 'knows'),
  [],
];
