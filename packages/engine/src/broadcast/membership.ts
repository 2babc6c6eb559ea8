/**
 * Who belongs to the ensemble, as far as this member knows (`QuorumPeer.setQuorumVerifier`,
 * `setLastSeenQuorumVerifier`): the configuration in force, and the one that was proposed last. Owns both, and the files
 * that keep them: `<zoo.cfg>.dynamic.<version>` and `<zoo.cfg>.dynamic.next`.
 *
 * With `reconfigEnabled=false` the configuration is what zoo.cfg says, for as long as the process lives.
 */
import { assert, utf8 } from '@meerkat/protocol';
import type { EnsembleConfig } from '../ensemble-config.ts';
import type { Disk } from '../ports.ts';
import type { QuorumMember } from '../quorum/member.ts';
import {
  formatQuorumConfig,
  isSameQuorumConfig,
  parseQuorumConfig,
  type QuorumConfig,
} from '../quorum/quorum-config.ts';
import { quorumVerifierOf } from '../quorum/quorum-verifier.ts';
import { QuorumView } from '../quorum/quorum-view.ts';

/** What putting a configuration in force changed for this member. */
export interface MembershipChange {
  readonly before: QuorumConfig;
  readonly now: QuorumConfig;
  /** Whether anything but the version differs. */
  readonly isDifferent: boolean;
}

export class Membership {
  readonly #ensemble: EnsembleConfig;
  readonly #disk: Disk;
  readonly #isChangeable: boolean;
  #current: QuorumConfig;
  #lastSeen: QuorumConfig;
  #view: QuorumView;

  /** @param isChangeable `reconfigEnabled` */
  constructor(ensemble: EnsembleConfig, disk: Disk, isChangeable: boolean) {
    this.#ensemble = ensemble;
    this.#disk = disk;
    this.#isChangeable = isChangeable;
    this.#current = ensemble.members;
    const proposed = isChangeable ? ensemble.proposedMembers : null;
    const isNewer = proposed !== null && proposed.version > this.#current.version;
    this.#lastSeen = isNewer ? proposed : this.#current;
    this.#view = this.#newView();
  }

  /** The configuration in force. */
  get current(): QuorumConfig {
    return this.#current;
  }

  /** The one that was proposed last; the one in force when no other was. */
  get lastSeen(): QuorumConfig {
    return this.#lastSeen;
  }

  /** Who counts. */
  get view(): QuorumView {
    return this.#view;
  }

  /** Whether a change is under way. */
  get isChanging(): boolean {
    return this.#lastSeen.version !== this.#current.version;
  }

  get self(): QuorumMember | null {
    return this.#current.members.get(this.#ensemble.myId) ?? null;
  }

  /** A configuration was proposed: from now on it counts as well, also after a crash. */
  propose(config: QuorumConfig): void {
    if (!this.#isChangeable || config.version <= this.#lastSeen.version) return;
    this.#write('next', formatQuorumConfig(config));
    this.#lastSeen = config;
    this.#view = this.#newView();
  }

  /**
   * A configuration is in force. Returns null when it was already, or a newer one is; else `settle` has to follow once
   * the next start finds it.
   */
  activate(config: QuorumConfig): MembershipChange | null {
    if (!this.#isChangeable || config.version <= this.#current.version) return null;
    const before = this.#current;
    this.#write(config.version.toString(16), withoutVersion(formatQuorumConfig(config)));
    this.#current = config;
    if (config.version >= this.#lastSeen.version) this.#lastSeen = config;
    this.#view = this.#newView();
    return { before, now: config, isDifferent: !hasSameMembers(before, config) };
  }

  /** What was proposed last never was committed, and cannot be any more: nobody has to agree by it. */
  discardProposed(): void {
    this.#lastSeen = this.#current;
    this.#view = this.#newView();
    this.#removeNext();
  }

  /** The next start finds the configuration in force: the file with what was proposed has nothing more to say. */
  settle(): void {
    if (this.#lastSeen === this.#current) this.#removeNext();
  }

  #newView(): QuorumView {
    const { oracle } = this.#ensemble;
    const current = quorumVerifierOf(this.#current, oracle);
    const isPending = this.#lastSeen.version > this.#current.version;
    return new QuorumView(current, isPending ? quorumVerifierOf(this.#lastSeen, oracle) : null);
  }

  #write(suffix: string, text: string): void {
    const { dynamicFile } = this.#ensemble;
    if (dynamicFile !== null)
      this.#disk.replaceSmallFile(`${dynamicFile}.${suffix}`, utf8(`${text}\n`));
  }

  #removeNext(): void {
    const { dynamicFile } = this.#ensemble;
    if (dynamicFile === null) return;
    const path = `${dynamicFile}.next`;
    if (this.#disk.sizeBytes(path) >= 0) this.#disk.remove(path);
  }
}

/** In a file whose name says the version, the text must not (`QuorumPeerConfig.parse`). */
function withoutVersion(text: string): string {
  return text.slice(0, text.lastIndexOf('\n'));
}

/** Whether two configurations are one but for their versions. */
function hasSameMembers(a: QuorumConfig, b: QuorumConfig): boolean {
  assert(a.version !== b.version || a === b, 'a version names one configuration', a.version);
  return isSameQuorumConfig({ ...a, version: -1 }, { ...b, version: -2 });
}

/** The configuration that a text is; null when it is none. */
export function readConfigText(text: string): QuorumConfig | null {
  try {
    return parseQuorumConfig(text);
  } catch (error) {
    if (error instanceof Error && error.name === 'QuorumConfigError') return null;
    throw error;
  }
}
