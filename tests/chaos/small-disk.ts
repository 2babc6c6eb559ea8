import { spawnSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How much a member's disk holds, bytes. */
const diskBytes = 96 * 1024 * 1024;

/** A folder of this machine's memory that stands for a disk, and can be full. */
export class SmallDisk {
  readonly #directory: string;
  readonly #onExit = (): void => this.giveBack();

  /** @returns null where the machine does not allow it: only root may mount a disk */
  static mount(directory: string): SmallDisk | null {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
    const args = ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', directory];
    if (spawnSync('mount', args, { stdio: 'ignore' }).status !== 0) return null;
    return new SmallDisk(directory);
  }

  private constructor(directory: string) {
    this.#directory = directory;
    process.once('exit', this.#onExit);
  }

  /** Leaves no room. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.#directory);
    writeFileSync(this.#filler, Buffer.alloc(Math.max(0, bavail * bsize)));
  }

  /** Gives the room back. */
  free(): void {
    rmSync(this.#filler, { force: true });
  }

  /** Unmounts it, also when somebody still looks at it. */
  giveBack(): void {
    process.removeListener('exit', this.#onExit);
    spawnSync('umount', ['-l', this.#directory], { stdio: 'ignore' });
  }

  get #filler(): string {
    return join(this.#directory, 'filler');
  }
}
