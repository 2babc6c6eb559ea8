import type {
  CreateOptions,
  Disk,
  DiskDone,
  Packing,
  ReadableFile,
  WritableFile,
} from '@meerkat/engine';

/** How a process hears of what it has ordered. */
export interface DiskHost {
  /** Runs `action` in an event of the process, or never when that is gone. */
  later(action: () => void): void;
  /** An order was given. */
  onBegin(): void;
  /** An order has ended. */
  onEnd(): void;
}

/**
 * A disk as one process sees it: the ends of its orders are events of the process, which wait while it stands still and
 * are not heard any more once it was killed. Owns the count of what is under way.
 */
export class ProcessDisk implements Disk {
  readonly #disk: Disk;
  readonly #host: DiskHost;
  /** Files that the process has open. */
  readonly #open = new Set<WritableFile>();
  #underWay = 0;
  #onIdle: (() => void)[] = [];

  constructor(disk: Disk, host: DiskHost) {
    this.#disk = disk;
    this.#host = host;
  }

  /** The process is gone: ends what is under way and closes what is open, so that the next one can begin. */
  async release(): Promise<void> {
    await this.#idle();
    for (const file of this.#open) file.close(this.ordered(() => {}));
    this.#open.clear();
    await this.#idle();
  }

  /** Passes the end of an order on to the process. */
  ordered(done: DiskDone): DiskDone {
    this.#underWay += 1;
    this.#host.onBegin();
    return (error) => {
      this.#underWay -= 1;
      this.#host.onEnd();
      this.#host.later(() => done(error));
      if (this.#underWay > 0) return;
      for (const resolve of this.#onIdle.splice(0)) resolve();
    };
  }

  list(directory: string): readonly string[] {
    return this.#disk.list(directory);
  }

  sizeBytes(path: string): number {
    return this.#disk.sizeBytes(path);
  }

  modifiedMs(path: string): number {
    return this.#disk.modifiedMs(path);
  }

  makeDirectory(path: string): void {
    this.#disk.makeDirectory(path);
  }

  readSmallFile(path: string): Uint8Array | null {
    return this.#disk.readSmallFile(path);
  }

  replaceSmallFile(path: string, bytes: Uint8Array): void {
    this.#disk.replaceSmallFile(path, bytes);
  }

  remove(path: string): void {
    this.#disk.remove(path);
  }

  removeLater(path: string, done: DiskDone): void {
    this.#disk.removeLater(path, this.ordered(done));
  }

  truncate(path: string, sizeBytes: number): void {
    this.#disk.truncate(path, sizeBytes);
  }

  syncFile(path: string): void {
    this.#disk.syncFile(path);
  }

  renameLater(from: string, to: string, done: DiskDone): void {
    this.#disk.renameLater(from, to, this.ordered(done));
  }

  readRange(path: string, position: number, length: number): Uint8Array {
    return this.#disk.readRange(path, position, length);
  }

  openForReading(path: string, packing: Packing): ReadableFile {
    return this.#disk.openForReading(path, packing);
  }

  create(path: string, options: CreateOptions): WritableFile {
    const file = this.#disk.create(path, options);
    this.#open.add(file);
    return new ProcessFile(file, this);
  }

  /** A file was closed by the process. */
  closed(file: WritableFile): void {
    this.#open.delete(file);
  }

  freeBytes(path: string): number {
    return this.#disk.freeBytes(path);
  }

  #idle(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
    });
  }
}

class ProcessFile implements WritableFile {
  readonly #file: WritableFile;
  readonly #disk: ProcessDisk;

  constructor(file: WritableFile, disk: ProcessDisk) {
    this.#file = file;
    this.#disk = disk;
  }

  write(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
    sync: boolean,
    done: DiskDone,
  ): void {
    this.#file.write(bytes, start, end, position, sync, this.#disk.ordered(done));
  }

  sync(done: DiskDone): void {
    this.#file.sync(this.#disk.ordered(done));
  }

  close(done: DiskDone): void {
    this.#disk.closed(this.#file);
    this.#file.close(this.#disk.ordered(done));
  }
}
