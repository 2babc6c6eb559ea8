import { type Acl, openAcl } from '../acl.ts';
import {
  BadVersionError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  type ZooKeeperError,
} from '../errors.ts';
import type { MultiOperation } from '../operations/multi.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { parseConfig } from './config-keys.ts';
import { childPath, createParents } from './parents.ts';
import { uuid } from './protective-create.ts';
import { isUnanswered, untilAnswered } from './waiting.ts';

/** A value that a key had, or has. */
export interface ConfigVersion {
  readonly version: number;
  /** The JSON value as it was stored, not validated. */
  readonly stored: unknown;
  /** When it was stored, ms since 1970 by the server's clock. */
  readonly timeMs: number;
  /** What was said about it; null when nothing was. */
  readonly comment: string | null;
}

/** A value to store. */
export interface ConfigWrite {
  readonly path: string;
  readonly stored: unknown;
  /** The version it replaces; without it, any. -1: there is none yet. */
  readonly version?: number;
}

/** How to store. */
export interface ConfigWriteOptions {
  /** So many versions are kept of each key. */
  readonly historyMax: number;
  readonly comment?: string;
  readonly acl?: Acl;
  readonly signal?: AbortSignal;
}

/**
 * Stores values, all of them or none, and keeps the last versions of each.
 *
 * Guarantee: they are stored once, in one transaction, each as the next version of its key. A write whose answer was
 * lost is recognised by the id in its record; only when that record is gone already does it fail, with `mayHaveHappened`.
 *
 * Layout: a persistent znode for each key, the value as JSON; its version is the znode's. Below it a child for each kept
 * version, `0000000007`, that holds `{"value": …, "id": …, "comment": …}`. What was stored by other means gets its
 * record with the next write.
 *
 * @returns the new versions, in the order of `writes`
 * @throws BadVersionError when a version given is not the present one; ZooKeeperError; or the signal's reason
 */
export async function storeConfig(
  zk: ZooKeeper,
  writes: readonly ConfigWrite[],
  options: ConfigWriteOptions,
): Promise<number[]> {
  const id = uuid(zk);
  const { signal } = options;
  for (;;) {
    signal?.throwIfAborted();
    const present = await Promise.all(writes.map(({ path }) => readKey(zk, path, signal)));
    for (const [index, { path, version }] of writes.entries()) {
      const found = present[index]?.version ?? -1;
      if (version === undefined || version === found) continue;
      const message = `Cannot store ${path} in place of version ${version}: current value is version ${found}`;
      throw new BadVersionError({ path, message });
    }
    const operations = writes.flatMap((write, index) =>
      operationsFor(write, present[index] as PresentKey, id, options),
    );
    try {
      await zk.multi(operations);
      return present.map(({ version }) => version + 1);
    } catch (error) {
      if (isUnanswered(error)) {
        if (await isStored(zk, writes, present, id, error as ZooKeeperError, signal)) {
          return present.map(({ version }) => version + 1);
        }
      } else if (error instanceof NoNodeError) {
        for (const { path } of writes) {
          await createParents(zk, path, { ...options, mode: 'persistent' });
        }
      } else if (!isRace(error)) {
        throw error;
      }
    }
  }
}

/** The kept versions of a key, the newest first. None when the key is not there. */
export async function readHistory(
  zk: ZooKeeper,
  path: string,
  signal?: AbortSignal,
): Promise<ConfigVersion[]> {
  const { names } = await readKey(zk, path, signal);
  const versions = await Promise.all(names.map((name) => readVersion(zk, path, name, signal)));
  return versions.flatMap((one) => one ?? []).sort((a, b) => b.version - a.version);
}

interface PresentKey {
  /** -1 when there is none. */
  readonly version: number;
  readonly data: Uint8Array | null;
  /** Of the kept versions, sorted. */
  readonly names: readonly string[];
}

async function readKey(
  zk: ZooKeeper,
  path: string,
  signal: AbortSignal | undefined,
): Promise<PresentKey> {
  const options = signal === undefined ? {} : { signal };
  try {
    // In one write: they are answered one after the other, and the transaction checks the version.
    const [{ data, stat }, children] = await untilAnswered(
      zk,
      () => Promise.all([zk.getData(path, options), zk.getChildren(path, options)]),
      signal,
    );
    const names = children.filter((name) => /^\d{10}$/.test(name)).sort();
    return { version: stat.version, data: data?.slice() ?? null, names };
  } catch (error) {
    if (error instanceof NoNodeError) return { version: -1, data: null, names: [] };
    throw error;
  }
}

/** A kept version; null when it was dropped meanwhile. */
async function readVersion(
  zk: ZooKeeper,
  path: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<(ConfigVersion & { readonly id: string | null }) | null> {
  const recordPath = childPath(path, name);
  try {
    const { data, stat } = await untilAnswered(zk, () => zk.getData(recordPath), signal);
    const record = parseConfig(data, recordPath) as Partial<VersionRecord> | null;
    const { value: stored = null, comment = null, id = null } = record ?? {};
    return { version: Number(name), stored, timeMs: stat.ctimeMs, comment, id };
  } catch (error) {
    if (error instanceof NoNodeError) return null;
    throw error;
  }
}

interface VersionRecord {
  readonly value: unknown;
  readonly id: string;
  readonly comment: string;
}

function operationsFor(
  { path, stored }: ConfigWrite,
  { version, data, names }: PresentKey,
  id: string,
  { historyMax, comment, acl = openAcl }: ConfigWriteOptions,
): MultiOperation[] {
  const json = JSON.stringify(stored);
  const record = JSON.stringify({
    value: stored,
    id,
    ...(comment === undefined ? {} : { comment }),
  });
  const create = (at: string, text: string): MultiOperation => {
    return { op: 'create', path: at, data: text, acl };
  };
  const recordOf = (of: number): string => childPath(path, nameOfVersion(of));
  if (version === -1) return [create(path, json), create(recordOf(0), record)];
  const kept = names.filter((name) => Number(name) <= version);
  const strays = names.filter((name) => Number(name) > version);
  const operations: MultiOperation[] = [{ op: 'setData', path, data: json, version }];
  const remove = (name: string): void => {
    operations.push({ op: 'delete', path: childPath(path, name) });
  };
  strays.forEach(remove);
  const before = historyMax > 1 && !kept.includes(nameOfVersion(version)) ? asRecord(data) : null;
  if (before !== null) operations.push(create(recordOf(version), before));
  operations.push(create(recordOf(version + 1), record));
  const count = kept.length + (before === null ? 0 : 1) + 1;
  kept.slice(0, Math.max(0, count - historyMax)).forEach(remove);
  return operations;
}

/** The record of a value that was stored by other means; null when that is no JSON. */
function asRecord(data: Uint8Array | null): string | null {
  try {
    return JSON.stringify({ value: parseConfig(data, '') });
  } catch {
    return null;
  }
}

/** After a lost connection: whether the transaction happened. @throws the error when that cannot be told */
async function isStored(
  zk: ZooKeeper,
  writes: readonly ConfigWrite[],
  before: readonly PresentKey[],
  id: string,
  error: ZooKeeperError,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const [write] = writes;
  const version = before[0]?.version ?? -1;
  await zk.connected(signal === undefined ? {} : { signal });
  if (!error.mayHaveHappened || write === undefined) return false;
  // A server that took over may be behind the one that took the write.
  await untilAnswered(zk, () => zk.sync(write.path), signal);
  const record = await readVersion(zk, write.path, nameOfVersion(version + 1), signal);
  if (record !== null) return record.id === id;
  if ((await readKey(zk, write.path, signal)).version > version) throw error;
  return false;
}

/** Somebody else was faster: read again, and try again. */
function isRace(error: unknown): boolean {
  return (
    error instanceof BadVersionError ||
    error instanceof NodeExistsError ||
    error instanceof NotEmptyError
  );
}

function nameOfVersion(version: number): string {
  return `${version}`.padStart(10, '0');
}
