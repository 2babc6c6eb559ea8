/**
 * Files being read at start-up, synchronously and piece by piece: a packed snapshot never stands
 * in memory as a whole.
 */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import type { Packing, ReadableFile } from '@meerkat/engine';
import type * as Minizlib from 'minizlib';
import { diskErrorOf } from './disk-failure.ts';
import { SnappyStreamReader } from './snappy/snappy-stream.ts';

const packedPieceBytes = 64 * 1024;

/**
 * Opens a file for reading.
 *
 * @throws DiskError when it cannot be opened
 */
export function openReadableFile(path: string, packing: Packing): ReadableFile {
  let file: number;
  try {
    file = fs.openSync(path, 'r');
  } catch (error) {
    throw diskErrorOf(error, path, 'open');
  }
  switch (packing) {
    case 'none':
      return new PlainReadableFile(path, file);
    case 'gzip':
      return new PackedReadableFile(path, file, new GzipUnpacker(file));
    case 'snappy':
      return new PackedReadableFile(path, file, new SnappyStreamReader((t) => readFully(file, t)));
  }
}

class PlainReadableFile implements ReadableFile {
  readonly #path: string;
  readonly #file: number;

  constructor(path: string, file: number) {
    this.#path = path;
    this.#file = file;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    try {
      return fs.readSync(this.#file, target, offset, length, null);
    } catch (error) {
      throw diskErrorOf(error, this.#path, 'read');
    }
  }

  close(): void {
    fs.closeSync(this.#file);
  }
}

/** Gives unpacked bytes, valid until the next call; null at the end. */
interface Unpacker {
  next(): Uint8Array | null;
}

class PackedReadableFile implements ReadableFile {
  readonly #path: string;
  readonly #file: number;
  readonly #unpacker: Unpacker;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(path: string, file: number, unpacker: Unpacker) {
    this.#path = path;
    this.#file = file;
    this.#unpacker = unpacker;
  }

  read(target: Uint8Array, offset: number, length: number): number {
    while (this.#at === this.#piece.length) {
      const piece = this.#next();
      if (piece === null) return 0;
      this.#piece = piece;
      this.#at = 0;
    }
    const count = Math.min(length, this.#piece.length - this.#at);
    target.set(this.#piece.subarray(this.#at, this.#at + count), offset);
    this.#at += count;
    return count;
  }

  close(): void {
    fs.closeSync(this.#file);
  }

  #next(): Uint8Array | null {
    try {
      return this.#unpacker.next();
    } catch (error) {
      throw diskErrorOf(error, this.#path, 'unpack');
    }
  }
}

class GzipUnpacker implements Unpacker {
  readonly #file: number;
  readonly #gunzip: Minizlib.Gunzip;
  readonly #packed = Buffer.alloc(packedPieceBytes);
  #pieces: Uint8Array[] = [];
  #failure: Error | null = null;
  #ended = false;

  constructor(file: number) {
    this.#file = file;
    this.#gunzip = makeGunzip();
    this.#gunzip.on('data', (piece) => this.#pieces.push(piece as Uint8Array));
    this.#gunzip.on('error', (error) => {
      this.#failure = error as Error;
    });
  }

  next(): Uint8Array | null {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) return piece;
      if (this.#failure !== null) throw this.#failure;
      if (this.#ended) return null;
      const count = readFully(this.#file, this.#packed);
      if (count > 0) {
        this.#gunzip.write(this.#packed.subarray(0, count));
      } else {
        this.#ended = true;
        this.#gunzip.end();
      }
    }
  }
}

/** Loaded only when there is something to unpack: most servers never do. */
function makeGunzip(): Minizlib.Gunzip {
  const require = createRequire(import.meta.url);
  const minizlib = require('minizlib') as typeof Minizlib;
  return new minizlib.Gunzip({});
}

/** Reads until the target is full or the file ends. */
function readFully(file: number, target: Uint8Array): number {
  let filled = 0;
  while (filled < target.length) {
    const count = fs.readSync(file, target, filled, target.length - filled, null);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}
