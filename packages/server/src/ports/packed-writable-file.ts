import type { Transform } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { DiskDone, WritableFile } from '@meerkat/engine';
import { assert } from '@meerkat/protocol';
import { diskErrorOf } from './disk-failure.ts';
import { SnappyStreamWriter } from './snappy/snappy-stream.ts';

/** Turns what is written into packed pieces. One order at a time. */
interface Packer {
  /** Packs bytes; `done` when they may change again. Pieces ready so far come with it. */
  pack(bytes: Uint8Array, done: PackDone): void;
  /** Packs what is left and the trailer. */
  end(done: PackDone): void;
}

type PackDone = (error: Error | null, pieces: readonly Uint8Array[]) => void;

/**
 * A file whose bytes are packed on their way to the disk; positions are ignored, writes append.
 * What the packing still holds cannot be made durable, so closing syncs: after `close` all is.
 */
export class PackedWritableFile implements WritableFile {
  readonly #path: string;
  readonly #file: WritableFile;
  readonly #packer: Packer;
  #position = 0;

  constructor(path: string, file: WritableFile, packing: 'gzip' | 'snappy') {
    this.#path = path;
    this.#file = file;
    this.#packer = packing === 'gzip' ? new GzipPacker() : new SnappyPacker();
  }

  write(
    bytes: Uint8Array,
    start: number,
    end: number,
    _position: number,
    sync: boolean,
    done: DiskDone,
  ): void {
    this.#packer.pack(bytes.subarray(start, end), (error, pieces) => {
      if (error !== null) return done(diskErrorOf(error, this.#path, 'pack'));
      this.#append(pieces, (failed) => {
        if (failed !== null || !sync) return done(failed);
        this.#file.sync(done);
      });
    });
  }

  sync(done: DiskDone): void {
    this.#file.sync(done);
  }

  close(done: DiskDone): void {
    this.#packer.end((error, pieces) => {
      const packError = error === null ? null : diskErrorOf(error, this.#path, 'pack');
      this.#append(pieces, (writeError) => {
        this.#file.sync((syncError) => {
          // The descriptor is given back whatever went wrong before.
          this.#file.close((closeError) => {
            done(packError ?? writeError ?? syncError ?? closeError);
          });
        });
      });
    });
  }

  #append(pieces: readonly Uint8Array[], done: DiskDone): void {
    const bytes = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    if (bytes === undefined || bytes.length === 0) return done(null);
    const position = this.#position;
    this.#position += bytes.length;
    this.#file.write(bytes, 0, bytes.length, position, false, done);
  }
}

class GzipPacker implements Packer {
  readonly #gzip: Transform = createGzip();
  #pieces: Uint8Array[] = [];
  #failure: Error | null = null;

  constructor() {
    this.#gzip.on('data', (piece: Uint8Array) => this.#pieces.push(piece));
    this.#gzip.on('error', (error) => {
      this.#failure = error;
    });
  }

  pack(bytes: Uint8Array, done: PackDone): void {
    this.#gzip.write(bytes, () => done(this.#failure, this.#take()));
  }

  end(done: PackDone): void {
    this.#gzip.once('end', () => done(this.#failure, this.#take()));
    this.#gzip.end();
  }

  #take(): readonly Uint8Array[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }
}

class SnappyPacker implements Packer {
  readonly #writer = new SnappyStreamWriter();
  #ended = false;

  pack(bytes: Uint8Array, done: PackDone): void {
    assert(!this.#ended, 'packing after the end');
    const pieces = this.#writer.write(bytes);
    // No port calls back before the call that caused it has returned.
    setImmediate(done, null, pieces);
  }

  end(done: PackDone): void {
    this.#ended = true;
    setImmediate(done, null, this.#writer.end());
  }
}
