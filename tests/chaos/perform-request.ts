import type {
  Acl,
  CreateMode,
  MultiOperation,
  MultiReadOperation,
  Watcher,
  ZooKeeper,
} from '@meerkat/client';
import { CreateFlag, OpCode } from '@meerkat/protocol';
import type { ModelRead, ModelWrite } from '@meerkat/simulator';

/** Asks for what the model calls a request by the methods of the client library. */
export function performRequest(
  zk: ZooKeeper,
  request: ModelRead | ModelWrite,
  watcher: Watcher,
): Promise<unknown> {
  const watching = 'watch' in request && request.watch ? { watch: watcher } : {};
  switch (request.kind) {
    case 'create': {
      const { path, data, withStat, ...options } = asCreate(request);
      if (withStat) return zk.createWithStat(path, data, options);
      return zk.create(path, data, options);
    }
    case 'delete':
      return zk.delete(request.path, { version: request.version });
    case 'setData':
      return zk.setData(request.path, request.data, { version: request.version });
    case 'setAcl':
      return zk.setAcl(request.path, flat(request.acl), { version: request.version });
    case 'check':
      return zk.multi([asPart(request)]);
    case 'multi':
      return zk.multi(request.parts.map(asPart));
    case 'multiRead':
      return zk.multiRead(request.parts.map(asReadPart));
    case 'exists':
      return zk.exists(request.path, watching);
    case 'getData':
      return zk.getData(request.path, watching);
    case 'getChildren':
      return zk.getChildren(request.path, watching);
    case 'getChildren2':
      return zk.getChildrenWithStat(request.path, watching);
    case 'getAcl':
      return zk.getAcl(request.path);
    case 'getAllChildrenNumber':
      return zk.getAllChildrenNumber(request.path);
    case 'getEphemerals':
      return zk.getEphemerals(request.path);
    case 'sync':
      return zk.sync(request.path);
    case 'addWatch':
      return zk.addWatch(request.path, watcher, {
        mode: request.mode === 0 ? 'persistent' : 'persistentRecursive',
      });
    case 'removeWatches':
      return zk.removeWatches(request.path, { type: watchTypes[request.type] ?? 'any' });
    case 'checkWatches':
      return zk.checkWatches(request.path, { type: watchTypes[request.type] ?? 'any' });
    case 'closeSession':
    case 'setWatches':
    case 'reconfig':
    case 'malformed':
      throw new Error(
        `Cannot ask for ${request.kind}: current value is no request of the workload`,
      );
  }
}

function asCreate({ type, path, data, acl, flags }: ModelWrite & { kind: 'create' }): {
  path: string;
  data: string | null;
  mode: CreateMode;
  acl: Acl;
  ttlMs?: number;
  withStat: boolean;
} {
  const mode = modes[flags] ?? 'persistent';
  const ttl = mode.endsWith('WithTtl') ? { ttlMs: 1_000_000 } : {};
  return { path, data, mode, acl: flat(acl), ...ttl, withStat: type !== OpCode.create };
}

function asPart(write: ModelWrite): MultiOperation {
  switch (write.kind) {
    case 'create':
      return { op: 'create', ...asCreate(write) };
    case 'delete':
      return { op: 'delete', path: write.path, version: write.version };
    case 'setData':
      return { op: 'setData', path: write.path, data: write.data, version: write.version };
    case 'check':
      return { op: 'check', path: write.path, version: write.version };
    default:
      throw new Error(`Cannot put into a multi: current value is ${write.kind}`);
  }
}

function asReadPart({ kind, path }: { kind: string; path: string }): MultiReadOperation {
  return kind === 'getData' ? { op: 'getData', path } : { op: 'getChildren', path };
}

function flat(acl: (ModelWrite & { kind: 'setAcl' })['acl']): Acl {
  return acl.map(({ perms, id: { scheme, id } }) => ({ perms, scheme, id }));
}

/** By their flags. */
const modes: readonly CreateMode[] = (Object.keys(CreateFlag) as CreateMode[]).sort((a, b) => {
  return CreateFlag[a] - CreateFlag[b];
});

/** By their numbers on the wire. */
const watchTypes = [
  undefined,
  'children',
  'data',
  'any',
  'persistent',
  'persistentRecursive',
] as const;
