import { parseQuorumConfig, type QuorumConfig } from '@meerkat/engine';
import { utf8 } from '@meerkat/protocol';
import type { SimulatedDisk } from '../simulated-disk.ts';

/** What a member starts with. */
export interface StoredMembers {
  readonly members: QuorumConfig;
  /** What was proposed, and may be in force elsewhere. */
  readonly proposed: QuorumConfig | null;
}

/**
 * A member's `zoo.cfg` and what lies beside it, as the server around the engine keeps them: first `zoo.cfg` holds the
 * members, later it names the file that does. The engine writes `zoo.cfg.dynamic.*`.
 */
export class ConfigurationFiles {
  /** The folder, below the member's own. */
  readonly folder: string;
  readonly #path: string;

  constructor(dataDir: string) {
    this.folder = `${dataDir}/conf`;
    this.#path = `${this.folder}/zoo.cfg`;
  }

  /** The dynamic file without its version, as the engine is told it. */
  get dynamicFile(): string {
    return `${this.#path}.dynamic`;
  }

  /** Somebody writes the members into `zoo.cfg` by hand. */
  write(disk: SimulatedDisk, lines: string): void {
    disk.place(this.#path, utf8(lines));
  }

  /** The members by the files; null when nobody has written any. */
  read(disk: SimulatedDisk): StoredMembers | null {
    const text = textOf(disk, this.#path);
    if (text === null) return null;
    if (!text.startsWith(pointer)) return { members: parseQuorumConfig(text), proposed: null };
    const path = text.slice(pointer.length);
    const version = path.slice(path.lastIndexOf('.') + 1);
    const members = parseQuorumConfig(`${textOf(disk, path)}version=${version}`);
    const proposed = textOf(disk, `${this.dynamicFile}.next`);
    return { members, proposed: proposed === null ? null : parseQuorumConfig(proposed) };
  }

  /** The engine has written a configuration: the next start must find it. */
  point(disk: SimulatedDisk, version: number): void {
    const target = `${this.dynamicFile}.${version.toString(16)}`;
    disk.replaceSmallFile(this.#path, utf8(pointer + target));
  }

  /** Takes the files, as far as the power could not have taken them, to a new disk. */
  move(from: SimulatedDisk, to: SimulatedDisk): void {
    for (const [name, content] of from.durableFiles(this.folder)) {
      to.place(`${this.folder}/${name}`, content.slice());
    }
  }
}

function textOf(disk: SimulatedDisk, path: string): string | null {
  if (disk.sizeBytes(path) < 0) return null;
  return Buffer.from(disk.contentOf(path)).toString();
}

const pointer = 'dynamicConfigFile=';
