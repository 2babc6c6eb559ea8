import { gunzipSync, gzipSync } from 'node:zlib';
import {
  type CreateOptions,
  type Disk,
  type DiskDone,
  DiskError,
  type Packing,
  type Random,
  type ReadableFile,
  type WritableFile,
} from '@meerkat/engine';
import { assert } from '@meerkat/protocol';
import type { ManualClock } from './manual-clock.ts';
import type { ProcessClock } from './process-clock.ts';
import { SimulatedFile } from './simulated-file.ts';

/** What the disk was asked to do, for the faults. */
export interface DiskOrder {
  readonly kind:
    | 'create'
    | 'write'
    | 'sync'
    | 'remove'
    | 'rename'
    | 'truncate'
    | 'read'
    | 'replace';
  readonly path: string;
  /** Counts the orders of this disk, from 0. */
  readonly number: number;
}

/** How a simulated disk behaves. */
export interface SimulatedDiskOptions {
  /** How long a write takes; a sync takes ten times as long. */
  readonly latencyMs?: number;
  /** Bytes that fit; files beyond fail with `ENOSPC`. */
  readonly capacityBytes?: number;
}

/**
 * A disk in memory that loses what was not synced. Owns files, names, and what a crash makes of both:
 * `crash` gives the disk as it is after the power was cut, `endProcess` as the next process finds it.
 * A name is durable once its directory was synced, content once its file was. Faults come from one
 * predicate, `fault`. Packs with gzip; snappy is refused, it needs a library that `server/` has.
 */
export class SimulatedDisk implements Disk {
  /** Says with which code an order fails, null for well. */
  fault: (order: DiskOrder) => string | null = () => null;
  /** The process that gives the orders, when it may stand still or end. */
  process: ProcessClock | null = null;

  readonly #clock: ManualClock;
  readonly #options: SimulatedDiskOptions;
  /** Names as the system shows them. */
  readonly #names = new Map<string, SimulatedFile>();
  readonly #directories = new Set<string>();
  /** Names as they are on the disk. */
  readonly #durableNames = new Map<string, SimulatedFile>();
  /** Changes of names since their directories were synced. */
  #unsyncedNames: NameChange[] = [];
  #orderCount = 0;
  #dead = false;

  constructor(clock: ManualClock, options: SimulatedDiskOptions = {}) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Orders given so far. */
  get orderCount(): number {
    return this.#orderCount;
  }

  /** Cuts the power: orders under way never end. Returns the disk as it is afterwards. */
  crash(random: Random, options: SimulatedDiskOptions = this.#options): SimulatedDisk {
    this.#dead = true;
    const after = new SimulatedDisk(this.#clock, options);
    for (const directory of this.#directories) after.#directories.add(directory);
    const names = new Map(this.#durableNames);
    // Journals keep the order of changes; not every file system has one.
    const journaled = random.below(2) === 0;
    const kept = random.below(this.#unsyncedNames.length + 1);
    for (const [i, change] of this.#unsyncedNames.entries()) {
      if (journaled ? i < kept : random.below(2) === 0) applyChange(names, change);
    }
    const files = new Map<SimulatedFile, SimulatedFile>();
    for (const [path, file] of names) {
      const copy = files.get(file) ?? file.afterPowerCut(random);
      files.set(file, copy);
      after.#names.set(path, copy);
      after.#durableNames.set(path, copy);
    }
    return after;
  }

  /** Ends the process that uses the disk. Nothing that it wrote is lost, and nothing more is durable. */
  endProcess(options: SimulatedDiskOptions = this.#options): SimulatedDisk {
    this.#dead = true;
    const after = new SimulatedDisk(this.#clock, options);
    for (const directory of this.#directories) after.#directories.add(directory);
    const files = new Map<SimulatedFile, SimulatedFile>();
    const copyOf = (file: SimulatedFile): SimulatedFile => {
      const copy = files.get(file) ?? file.afterProcessEnd();
      files.set(file, copy);
      return copy;
    };
    for (const [path, file] of this.#names) after.#names.set(path, copyOf(file));
    for (const [path, file] of this.#durableNames) after.#durableNames.set(path, copyOf(file));
    for (const change of this.#unsyncedNames) {
      after.#unsyncedNames.push({
        ...change,
        file: change.file === null ? null : copyOf(change.file),
      });
    }
    return after;
  }

  /** Puts a file there, durable, as if it had always been. */
  place(path: string, bytes: Uint8Array): void {
    this.makeDirectory(directoryOf(path));
    const file = new SimulatedFile();
    file.write(bytes, 0);
    file.sync();
    this.#names.set(path, file);
    this.#durableNames.set(path, file);
  }

  /** Overwrites one byte of a file behind everyone's back. */
  corrupt(path: string, position: number, value: number): void {
    this.#file(path, 'corrupt').corrupt(position, value);
  }

  /** The content of a file as it shows, a copy. */
  contentOf(path: string): Uint8Array {
    return this.#file(path, 'look at').content().slice();
  }

  /** What a power cut would leave for certain: names with their durable content, a view, below `directory`. */
  *durableFiles(directory: string): Generator<readonly [name: string, content: Uint8Array]> {
    const prefix = `${directory}/`;
    for (const [path, file] of this.#durableNames) {
      if (path.startsWith(prefix)) yield [path.slice(prefix.length), file.durableContent()];
    }
  }

  /** What a power cut would leave of a file for certain, a view; undefined when it may have no such name. */
  durableContent(path: string): Uint8Array | undefined {
    return this.#durableNames.get(path)?.durableContent();
  }

  list(directory: string): readonly string[] {
    const names: string[] = [];
    const prefix = `${directory}/`;
    for (const path of [...this.#names.keys(), ...this.#directories]) {
      if (!path.startsWith(prefix)) continue;
      const name = path.slice(prefix.length);
      if (name !== '' && !name.includes('/')) names.push(name);
    }
    return names.sort();
  }

  sizeBytes(path: string): number {
    const file = this.#names.get(path);
    if (file !== undefined) return file.sizeBytes;
    return this.#directories.has(path) ? 0 : -1;
  }

  modifiedMs(path: string): number {
    return this.#names.get(path)?.modifiedMs ?? 0;
  }

  makeDirectory(path: string): void {
    for (let at = path; at !== '' && at !== '.'; at = directoryOf(at)) this.#directories.add(at);
  }

  readSmallFile(path: string): Uint8Array | null {
    this.#order('read', path);
    return this.#names.get(path)?.content().slice() ?? null;
  }

  replaceSmallFile(path: string, bytes: Uint8Array): void {
    this.#order('replace', path);
    const file = new SimulatedFile();
    this.#allocate(file, path, 0, bytes.length);
    file.write(bytes, 0);
    file.sync();
    file.modifiedMs = this.#clock.wallMs();
    this.#change({ kind: 'set', path, file });
    this.syncDirectory(directoryOf(path));
  }

  remove(path: string): void {
    this.#order('remove', path);
    this.#file(path, 'remove');
    this.#change({ kind: 'remove', path, file: null });
    this.syncDirectory(directoryOf(path));
  }

  removeLater(path: string, done: DiskDone): void {
    this.#later(done, 1, () => {
      this.#order('remove', path);
      this.#file(path, 'remove');
      this.#change({ kind: 'remove', path, file: null });
    });
  }

  truncate(path: string, sizeBytes: number): void {
    this.#order('truncate', path);
    this.#file(path, 'truncate').truncate(sizeBytes);
  }

  syncFile(path: string): void {
    this.#order('sync', path);
    this.#file(path, 'sync').sync();
    this.syncDirectory(directoryOf(path));
  }

  renameLater(from: string, to: string, done: DiskDone): void {
    this.#later(done, 10, () => {
      this.#order('rename', from);
      const file = this.#file(from, 'rename');
      this.#change({ kind: 'rename', path: to, from, file });
      this.syncDirectory(directoryOf(to));
    });
  }

  readRange(path: string, position: number, length: number): Uint8Array {
    this.#order('read', path);
    return this.#file(path, 'read')
      .content()
      .slice(position, position + length);
  }

  openForReading(path: string, packing: Packing): ReadableFile {
    this.#order('read', path);
    return new SimulatedReader(unpack(this.#file(path, 'open').content(), path, packing));
  }

  create(path: string, options: CreateOptions): WritableFile {
    this.#order('create', path);
    if (options.packing === 'snappy') throw new DiskError('ENOTSUP', path, 'create');
    if (!options.replace && this.#names.has(path)) throw new DiskError('EEXIST', path, 'create');
    if (!this.#directories.has(directoryOf(path))) throw new DiskError('ENOENT', path, 'create');
    const file = new SimulatedFile();
    this.#change({ kind: 'set', path, file });
    return new SimulatedWriter(this, file, path, options.packing);
  }

  freeBytes(): number {
    const capacity = this.#options.capacityBytes;
    return capacity === undefined ? Number.POSITIVE_INFINITY : Math.max(0, capacity - this.#used());
  }

  /** Makes the names in a directory durable. */
  syncDirectory(directory: string): void {
    const rest: NameChange[] = [];
    for (const change of this.#unsyncedNames) {
      if (directoryOf(change.path) === directory) applyChange(this.#durableNames, change);
      else rest.push(change);
    }
    this.#unsyncedNames = rest;
  }

  /** Writes for a `SimulatedWriter`: into the cache at once, since a crash may find any part of it there. */
  writeInto(
    file: SimulatedFile,
    path: string,
    bytes: Uint8Array,
    position: number,
    sync: boolean,
    done: DiskDone,
  ): void {
    let failure: DiskError | null = null;
    try {
      this.#order('write', path);
      this.#allocate(file, path, position, bytes.length);
      file.write(bytes, position);
      file.modifiedMs = this.#clock.wallMs();
    } catch (error) {
      failure = asDiskError(error);
      // A write that fails may have written a part.
      file.write(bytes.subarray(0, Math.floor(bytes.length / 2)), position);
    }
    if (failure !== null) this.#finish(1, done, failure);
    else if (sync) this.syncInto(file, path, done);
    else this.#finish(1, done, null);
  }

  /** Syncs for a `SimulatedWriter`. What was written by then is durable when it ends. */
  syncInto(file: SimulatedFile, path: string, done: DiskDone): void {
    this.#later(done, 10, () => {
      try {
        this.#order('sync', path);
      } catch (error) {
        const failure = asDiskError(error);
        file.forgetUnsynced();
        throw failure;
      }
      file.sync();
      this.syncDirectory(directoryOf(path));
    });
  }

  /** Ends an order in a later event, unless the power is cut before. */
  #finish(factor: number, done: DiskDone, error: DiskError | null): void {
    this.#clock.after((this.#options.latencyMs ?? 0) * factor, () => {
      if (!this.#dead) this.#tell(done, error);
    });
  }

  #later(done: DiskDone, factor: number, run: () => void): void {
    this.#clock.after((this.#options.latencyMs ?? 0) * factor, () => {
      if (this.#dead) return;
      let failure: DiskError | null = null;
      try {
        run();
      } catch (error) {
        failure = asDiskError(error);
      }
      this.#tell(done, failure);
    });
  }

  /** A process that stands still learns later that an order has ended. */
  #tell(done: DiskDone, error: DiskError | null): void {
    if (this.process === null) done(error);
    else this.process.after(0, () => done(error));
  }

  #order(kind: DiskOrder['kind'], path: string): void {
    assert(!this.#dead, 'a disk used after its end');
    const code = this.fault({ kind, path, number: this.#orderCount++ });
    if (code !== null) throw new DiskError(code, path, kind);
  }

  #allocate(file: SimulatedFile, path: string, position: number, length: number): void {
    const capacity = this.#options.capacityBytes;
    if (capacity === undefined) return;
    if (this.#used() + file.bytesToAllocate(position, length) > capacity) {
      throw new DiskError('ENOSPC', path, 'write');
    }
  }

  #used(): number {
    let used = 0;
    for (const file of new Set(this.#names.values())) used += file.allocatedBytes;
    return used;
  }

  #change(change: NameChange): void {
    applyChange(this.#names, change);
    this.#unsyncedNames.push(change);
  }

  #file(path: string, action: string): SimulatedFile {
    const file = this.#names.get(path);
    if (file === undefined) throw new DiskError('ENOENT', path, action);
    return file;
  }
}

/** A change of a name that a directory sync makes durable. */
interface NameChange {
  readonly kind: 'set' | 'remove' | 'rename';
  readonly path: string;
  readonly from?: string;
  readonly file: SimulatedFile | null;
}

function applyChange(names: Map<string, SimulatedFile>, change: NameChange): void {
  if (change.from !== undefined) names.delete(change.from);
  if (change.file === null) names.delete(change.path);
  else names.set(change.path, change.file);
}

class SimulatedWriter implements WritableFile {
  readonly #disk: SimulatedDisk;
  readonly #file: SimulatedFile;
  readonly #path: string;
  readonly #packing: Packing;
  readonly #unpacked: Uint8Array[] = [];
  #busy = false;

  constructor(disk: SimulatedDisk, file: SimulatedFile, path: string, packing: Packing) {
    this.#disk = disk;
    this.#file = file;
    this.#path = path;
    this.#packing = packing;
  }

  write(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
    sync: boolean,
    done: DiskDone,
  ): void {
    const content = bytes.subarray(start, end);
    if (this.#packing === 'none') {
      this.#disk.writeInto(this.#file, this.#path, content, position, sync, this.#once(done));
      return;
    }
    this.#unpacked.push(content.slice());
    this.#disk.writeInto(this.#file, this.#path, nothing, 0, sync, this.#once(done));
  }

  sync(done: DiskDone): void {
    this.#disk.syncInto(this.#file, this.#path, this.#once(done));
  }

  close(done: DiskDone): void {
    const packed = this.#packing === 'none' ? nothing : gzipSync(Buffer.concat(this.#unpacked));
    this.#disk.writeInto(this.#file, this.#path, packed, 0, false, this.#once(done));
  }

  /** Holds the port's rule: one order at a time. */
  #once(done: DiskDone): DiskDone {
    assert(!this.#busy, 'a disk order while the last one is under way');
    this.#busy = true;
    return (error) => {
      this.#busy = false;
      done(error);
    };
  }
}

class SimulatedReader implements ReadableFile {
  readonly #content: Uint8Array;
  #position = 0;

  constructor(content: Uint8Array) {
    this.#content = content;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#content.length - this.#position);
    target.set(this.#content.subarray(this.#position, this.#position + count), offset);
    this.#position += count;
    return count;
  }

  close(): void {
    this.#position = this.#content.length;
  }
}

function unpack(content: Uint8Array, path: string, packing: Packing): Uint8Array {
  if (packing === 'none') return content.slice();
  if (packing === 'snappy') throw new DiskError('ENOTSUP', path, 'open');
  try {
    return gunzipSync(content);
  } catch {
    throw new DiskError('EBADMSG', path, 'unpack');
  }
}

function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}

function asDiskError(error: unknown): DiskError {
  if (error instanceof DiskError) return error;
  throw error;
}

const nothing = new Uint8Array(0);
