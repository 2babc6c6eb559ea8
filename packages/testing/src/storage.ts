import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Disk } from '@meerkat/engine';
import { SimulatedDisk } from '@meerkat/simulator';
import type { EnsembleTime } from './ensemble-time.ts';
import type { ProcessDisk } from './process-disk.ts';

/** Where the data of one member lies, life after life. */
export interface Storage {
  readonly disk: Disk;
  /** The member's `dataDir`. */
  readonly directory: string;
  /** Whether its orders take real time. */
  readonly isReal: boolean;
  /** A process is gone that used it. Resolves when the next one may begin. */
  ended(process: ProcessDisk): Promise<void>;
}

/** A disk in memory: nothing of it is left when the ensemble is. */
export class MemoryStorage implements Storage {
  readonly directory: string = '/data';
  readonly isReal = false;
  #disk: SimulatedDisk;

  constructor(time: EnsembleTime) {
    this.#disk = new SimulatedDisk(time.clock);
  }

  get disk(): Disk {
    return this.#disk;
  }

  ended(): Promise<void> {
    this.#disk = this.#disk.endProcess();
    return Promise.resolve();
  }
}

/** A directory of this machine. */
export class DirectoryStorage implements Storage {
  readonly disk: Disk;
  readonly directory: string;
  readonly isReal = true;

  constructor(disk: Disk, directory: string) {
    this.disk = disk;
    this.directory = directory;
  }

  ended(process: ProcessDisk): Promise<void> {
    return process.release();
  }
}

/** A temporary directory with one of its own for each member. */
export class TemporaryDirectory {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes one. */
  static async make(): Promise<TemporaryDirectory> {
    return new TemporaryDirectory(await mkdtemp(join(tmpdir(), 'meerkat-test-')));
  }

  /** The storage of a member. */
  async storageOf(memberIndex: number): Promise<Storage> {
    const directory = join(this.path, `member-${memberIndex}`);
    await mkdir(directory);
    // Only now: loading the server takes longer than a start in memory.
    const { NodeDisk } = await import('@meerkat/server');
    return new DirectoryStorage(new NodeDisk(), directory);
  }

  /** Removes it with all that is in it. */
  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }
}
