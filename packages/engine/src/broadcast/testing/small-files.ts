import { type Disk, DiskError } from '../../ports.ts';

/** Thrown where the power is cut. */
export class PowerCut extends Error {
  override readonly name: string = 'PowerCut';
}

/**
 * The part of a disk that keeps small files, each order durable at once. The power can be cut before an order; the files
 * outlive it.
 */
export class SmallFiles {
  readonly files = new Map<string, string>();
  /** Orders that change something, until the power is cut; then nothing more happens. */
  ordersLeft = Number.POSITIVE_INFINITY;
  /** What was done, in order. */
  readonly done: string[] = [];

  /** The disk as the engine is given it. */
  get disk(): Disk {
    return this as unknown as Disk;
  }

  readSmallFile(path: string): Uint8Array | null {
    const text = this.files.get(path);
    return text === undefined ? null : Buffer.from(text);
  }

  sizeBytes(path: string): number {
    return this.files.get(path)?.length ?? -1;
  }

  replaceSmallFile(path: string, bytes: Uint8Array): void {
    this.#count(`replace ${path}`);
    this.files.set(path, Buffer.from(bytes).toString());
  }

  remove(path: string): void {
    this.#count(`remove ${path}`);
    if (!this.files.delete(path)) throw new DiskError('ENOENT', path, 'remove');
  }

  #count(order: string): void {
    if (this.ordersLeft <= 0) throw new PowerCut();
    this.ordersLeft--;
    this.done.push(order);
  }
}
