import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One file that is read and replaced as a whole. */
export interface AtomicFile {
  /** All of it; null when it does not exist. @throws the system's error */
  read(): Promise<Uint8Array | null>;
  /** Replaces it: whoever reads, even after a crash, finds the old bytes or the new ones. @throws the system's error */
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * A file for the fallback of a `ConfigCenter`. Its folder is made if need be; what may be secret in it is for the owner
 * alone (mode 600).
 */
export function fileStore(path: string): AtomicFile {
  return {
    read: async () => {
      try {
        return await readFile(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    write: (bytes) => replace(path, bytes),
  };
}

/** Writes beside the file, syncs, and renames over it. */
async function replace(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${randomUUID()}`;
  try {
    const file = await open(beside, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
