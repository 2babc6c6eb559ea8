import * as fs from 'node:fs';
import { dirname } from 'node:path';
import {
  type CreateOptions,
  type Disk,
  type DiskDone,
  DiskError,
  type Packing,
  type ReadableFile,
  type WritableFile,
} from '@meerkat/engine';
import { diskErrorOf } from './disk-failure.ts';
import { makeDirectories } from './make-directories.ts';
import { PackedWritableFile } from './packed-writable-file.ts';
import { PlainWritableFile } from './plain-writable-file.ts';
import { openReadableFile } from './readable-files.ts';

/** The file system of this machine. */
export class NodeDisk implements Disk {
  list(directory: string): readonly string[] {
    try {
      return fs.readdirSync(directory).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw diskErrorOf(error, directory, 'list');
    }
  }

  sizeBytes(path: string): number {
    return attempt(path, 'look at', () => fs.statSync(path, { throwIfNoEntry: false })?.size ?? -1);
  }

  modifiedMs(path: string): number {
    return attempt(path, 'look at', () => {
      return fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    });
  }

  makeDirectory(path: string): void {
    attempt(path, 'make the directory', () => {
      const first = makeDirectories(path);
      if (first !== null) syncDirectory(dirname(first));
    });
  }

  readSmallFile(path: string): Uint8Array | null {
    try {
      return fs.readFileSync(path);
    } catch (error) {
      if (isMissing(error)) return null;
      throw diskErrorOf(error, path, 'read');
    }
  }

  replaceSmallFile(path: string, bytes: Uint8Array): void {
    attempt(path, 'replace', () => {
      const temporary = `${path}.tmp`;
      const file = fs.openSync(temporary, 'w');
      try {
        fs.writeFileSync(file, bytes);
        fs.fsyncSync(file);
      } finally {
        fs.closeSync(file);
      }
      fs.renameSync(temporary, path);
      syncDirectory(dirname(path));
    });
  }

  remove(path: string): void {
    attempt(path, 'remove', () => {
      fs.unlinkSync(path);
      syncDirectory(dirname(path));
    });
  }

  removeLater(path: string, done: DiskDone): void {
    fs.unlink(path, (error) => {
      done(error === null ? null : diskErrorOf(error, path, 'remove'));
    });
  }

  truncate(path: string, sizeBytes: number): void {
    attempt(path, 'truncate', () => {
      const file = fs.openSync(path, 'r+');
      try {
        fs.ftruncateSync(file, sizeBytes);
        fs.fsyncSync(file);
      } finally {
        fs.closeSync(file);
      }
    });
  }

  syncFile(path: string): void {
    attempt(path, 'sync', () => {
      const file = fs.openSync(path, 'r+');
      try {
        fs.fsyncSync(file);
      } finally {
        fs.closeSync(file);
      }
      syncDirectory(dirname(path));
    });
  }

  renameLater(from: string, to: string, done: DiskDone): void {
    fs.rename(from, to, (failure) => {
      let error = failure === null ? null : diskErrorOf(failure, from, 'rename');
      if (error === null) {
        try {
          syncDirectory(dirname(to));
        } catch (cause) {
          error = diskErrorOf(cause, to, 'sync the directory of');
        }
      }
      done(error);
    });
  }

  readRange(path: string, position: number, length: number): Uint8Array {
    return attempt(path, 'read', () => {
      const file = fs.openSync(path, 'r');
      try {
        const bytes = new Uint8Array(length);
        let count = 0;
        for (;;) {
          const read = fs.readSync(file, bytes, count, length - count, position + count);
          count += read;
          if (read === 0 || count === length) return bytes.subarray(0, count);
        }
      } finally {
        fs.closeSync(file);
      }
    });
  }

  openForReading(path: string, packing: Packing): ReadableFile {
    return openReadableFile(path, packing);
  }

  create(path: string, options: CreateOptions): WritableFile {
    const file = attempt(path, 'create', () => fs.openSync(path, options.replace ? 'w' : 'wx'));
    const plain = new PlainWritableFile(path, file);
    if (options.packing === 'none') return plain;
    return new PackedWritableFile(path, plain, options.packing);
  }

  freeBytes(path: string): number {
    try {
      const found = fs.statfsSync(path);
      return found.bavail * found.bsize;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }
}

/** Makes the entries of a directory durable; systems that cannot sync a directory keep them so anyway. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(directory);
  } finally {
    fs.closeSync(directory);
  }
}

function attempt<Result>(path: string, action: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw error instanceof DiskError ? error : diskErrorOf(error, path, action);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
