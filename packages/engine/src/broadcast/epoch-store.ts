/**
 * The two epochs of a member, in memory and on disk (`QuorumPeer.java`). Owns their order: `acceptedEpoch` is never
 * behind `currentEpoch`, and neither goes back.
 */
import { assert, type Zxid } from '@meerkat/protocol';
import type { Disk } from '../ports.ts';
import { loadEpochs, writeAcceptedEpoch, writeCurrentEpoch } from '../storage/index.ts';

export class EpochStore {
  readonly #disk: Disk;
  #directory = '';
  #currentEpoch = 0;
  #acceptedEpoch = 0;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The last epoch whose history was taken over as a whole. */
  get currentEpoch(): number {
    return this.#currentEpoch;
  }

  /** The last epoch promised to a prospective leader. */
  get acceptedEpoch(): number {
    return this.#acceptedEpoch;
  }

  /** Reads both at the start. Throws StorageError when they disagree with the history. */
  load(directory: string, lastZxid: Zxid): void {
    const { currentEpoch, acceptedEpoch } = loadEpochs(this.#disk, directory, lastZxid);
    this.#directory = directory;
    this.#currentEpoch = currentEpoch;
    this.#acceptedEpoch = acceptedEpoch;
  }

  /** Promises an epoch, durably: no earlier one is taken any more. */
  accept(epoch: number): void {
    assert(epoch > this.#acceptedEpoch, 'a new epoch is promised', epoch, this.#acceptedEpoch);
    writeAcceptedEpoch(this.#disk, this.#directory, epoch);
    this.#acceptedEpoch = epoch;
  }

  /** The epoch's history is durable here: whoever asks is told so from now on. */
  enter(epoch: number): void {
    assert(epoch <= this.#acceptedEpoch, 'an epoch is promised first', epoch, this.#acceptedEpoch);
    assert(epoch >= this.#currentEpoch, 'epochs do not go back', epoch, this.#currentEpoch);
    if (epoch === this.#currentEpoch) return;
    writeCurrentEpoch(this.#disk, this.#directory, epoch);
    this.#currentEpoch = epoch;
  }
}
