import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { DiskDone, WritableFile } from '@meerkat/engine';
import { assert } from '@meerkat/protocol';
import { diskErrorOf } from './disk-failure.ts';

/**
 * On Linux a write through a descriptor opened with O_DSYNC is durable when it returns: one hop
 * through the thread pool instead of two. Elsewhere fdatasync does more than the flag (macOS).
 */
const durableWriteFlag = process.platform === 'linux' ? fs.constants.O_DSYNC : 0;

/**
 * Up to here one durable write beats a write and an fdatasync: the disk takes as long for either, but between
 * the two the one busy thread would have to hear of the first.
 */
const durableWriteBytesMax = 1024 * 1024;

/**
 * A file written at given positions. One order is under way at a time, so its state lives in
 * fields and no closure is made per order.
 */
export class PlainWritableFile implements WritableFile {
  readonly #path: string;
  readonly #file: number;
  /** The same file with O_DSYNC; opened by the first durable write, -1 before. */
  #durableFile = -1;
  /** Whether the directory entry is durable. */
  #entryDurable = false;
  /** Whether bytes were written that no sync has covered. */
  #dirty = false;

  #bytes: Uint8Array = nothing;
  #start = 0;
  #end = 0;
  #position = 0;
  #syncAfter = false;
  #throughDurable = false;
  #done: DiskDone | null = null;

  readonly #onWritten = (error: Error | null, written: number): void => {
    if (error !== null) return this.#finish(error, 'write');
    this.#start += written;
    this.#position += written;
    // A disk that is nearly full takes a part first and fails the rest.
    if (this.#start < this.#end) return this.#writeRest();
    this.#afterWrite();
  };
  readonly #onDataSynced = (error: Error | null): void => {
    if (error !== null) return this.#finish(error, 'sync');
    this.#dirty = false;
    this.#syncEntry();
  };

  constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  write(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
    sync: boolean,
    done: DiskDone,
  ): void {
    assert(this.#done === null, 'a disk order while the last one is under way', start, end);
    assert(start <= end && end <= bytes.length, 'a write outside its bytes', start, end);
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#position = position;
    this.#syncAfter = sync;
    this.#done = done;
    // O_DSYNC covers only its own bytes: what was written without it needs a sync of the file.
    const isShort = end - start <= durableWriteBytesMax;
    this.#throughDurable =
      sync && isShort && !this.#dirty && durableWriteFlag !== 0 && this.#openDurable();
    if (!this.#throughDurable) this.#dirty = true;
    this.#writeRest();
  }

  sync(done: DiskDone): void {
    assert(this.#done === null, 'a disk order while the last one is under way');
    this.#done = done;
    fs.fsync(this.#file, this.#onDataSynced);
  }

  close(done: DiskDone): void {
    assert(this.#done === null, 'a file closed while a disk order is under way');
    this.#done = done;
    if (this.#durableFile >= 0) fs.closeSync(this.#durableFile);
    fs.close(this.#file, (error) => this.#finish(error ?? null, 'close'));
  }

  #openDurable(): boolean {
    if (this.#durableFile >= 0) return true;
    try {
      // By its descriptor, not its path: the name may be another file's by now.
      const path = `/proc/self/fd/${this.#file}`;
      this.#durableFile = fs.openSync(path, fs.constants.O_WRONLY | durableWriteFlag);
      return true;
    } catch {
      // No descriptor left, or no /proc: fdatasync does the same in two steps.
      return false;
    }
  }

  #writeRest(): void {
    const file = this.#throughDurable ? this.#durableFile : this.#file;
    const length = this.#end - this.#start;
    fs.write(file, this.#bytes, this.#start, length, this.#position, this.#onWritten);
  }

  #afterWrite(): void {
    if (!this.#syncAfter) this.#finish(null, 'write');
    else if (this.#throughDurable) this.#syncEntry();
    else fs.fdatasync(this.#file, this.#onDataSynced);
  }

  /** The first sync of a new file makes its name durable too. */
  #syncEntry(): void {
    if (this.#entryDurable || process.platform === 'win32') return this.#finish(null, 'sync');
    const directory = dirname(this.#path);
    fs.open(directory, 'r', (openError, handle) => {
      if (openError !== null) return this.#finish(openError, 'sync the directory of');
      fs.fsync(handle, (error) => {
        fs.closeSync(handle);
        this.#entryDurable = error === null;
        this.#finish(error, 'sync the directory of');
      });
    });
  }

  #finish(error: Error | null, action: string): void {
    const done = this.#done;
    assert(done !== null, 'a disk order ended twice');
    this.#done = null;
    this.#bytes = nothing;
    done(error === null ? null : diskErrorOf(error, this.#path, action));
  }
}

const nothing = new Uint8Array(0);
