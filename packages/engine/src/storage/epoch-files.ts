import { decodeUtf8, epochOf, formatZxid, utf8, type Zxid } from '@meerkat/protocol';
import type { Disk } from '../ports.ts';
import { StorageError } from './storage-error.ts';

/**
 * `currentEpoch` and `acceptedEpoch` in `<dataDir>/version-2`: decimal text, replaced as a whole
 * (`QuorumPeer.java`, `AtomicFileWritingIdiom.java`). A lone server has none.
 */

/** The two epochs of a member. */
export interface Epochs {
  /** The last epoch whose history was taken over as a whole. */
  readonly currentEpoch: number;
  /** The last epoch promised to a prospective leader. */
  readonly acceptedEpoch: number;
}

const currentEpochFile = 'currentEpoch';
const acceptedEpochFile = 'acceptedEpoch';

/**
 * Reads the epochs at start-up and makes them agree with the last transaction, as
 * `QuorumPeer.loadDataBase`: a missing file is made from the transaction's epoch; a `currentEpoch`
 * that is behind it is put right if that epoch was promised, or if a `currentEpoch.tmp` shows that it was about to be
 * replaced.
 *
 * A learner makes its history durable before it writes `currentEpoch`, so a crash between the two leaves a log that is
 * ahead of the file. Java then needs the temporary file to start. Here the promise is enough: histories are written in
 * order, so whoever has a transaction of an epoch has all that the epoch began with.
 *
 * @param directory the `version-2` directory of `dataDir`
 * @throws StorageError `epochsDisagree`
 */
export function loadEpochs(disk: Disk, directory: string, lastZxid: Zxid): Epochs {
  const zxidEpoch = Math.max(0, epochOf(lastZxid));
  let currentEpoch = readEpoch(disk, `${directory}/${currentEpochFile}`);
  if (currentEpoch === null) {
    currentEpoch = zxidEpoch;
    writeCurrentEpoch(disk, directory, currentEpoch);
  }
  if (zxidEpoch > currentEpoch) {
    const temporary = readEpoch(disk, `${directory}/${currentEpochFile}.tmp`) ?? -1;
    const promised = readEpoch(disk, `${directory}/${acceptedEpochFile}`) ?? -1;
    if (temporary < zxidEpoch && promised < zxidEpoch) {
      throw disagree(
        `${directory}/${currentEpochFile}`,
        `Cannot use the epoch ${currentEpoch} with the last transaction ${formatZxid(lastZxid)}, ` +
          'which is of a later one',
      );
    }
    currentEpoch = Math.max(temporary, zxidEpoch);
    writeCurrentEpoch(disk, directory, currentEpoch);
  }
  let acceptedEpoch = readEpoch(disk, `${directory}/${acceptedEpochFile}`);
  if (acceptedEpoch === null) {
    acceptedEpoch = Math.max(zxidEpoch, currentEpoch);
    writeAcceptedEpoch(disk, directory, acceptedEpoch);
  }
  if (acceptedEpoch < currentEpoch) {
    throw disagree(
      `${directory}/${acceptedEpochFile}`,
      `Cannot use the accepted epoch ${acceptedEpoch}: it is less than the current epoch ${currentEpoch}`,
    );
  }
  return { currentEpoch, acceptedEpoch };
}

/** Replaces `currentEpoch`, durably. All of the epoch's history must be durable before. */
export function writeCurrentEpoch(disk: Disk, directory: string, epoch: number): void {
  disk.replaceSmallFile(`${directory}/${currentEpochFile}`, utf8(String(epoch)));
}

/** Replaces `acceptedEpoch`, durably. */
export function writeAcceptedEpoch(disk: Disk, directory: string, epoch: number): void {
  disk.replaceSmallFile(`${directory}/${acceptedEpochFile}`, utf8(String(epoch)));
}

function readEpoch(disk: Disk, path: string): number | null {
  const bytes = disk.readSmallFile(path);
  if (bytes === null) return null;
  const text = decodeUtf8(bytes, 0, bytes.length).trim();
  const epoch = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(epoch))
    throw disagree(path, `Cannot read an epoch: current text is "${text}"`);
  return epoch;
}

function disagree(file: string, what: string): StorageError {
  return new StorageError(
    'epochsDisagree',
    { file },
    what,
    'Bring back the file from a backup, or start this member with an empty data directory.',
  );
}
