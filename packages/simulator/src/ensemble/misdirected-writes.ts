import { fileHeaderBytes, recordHeadBytes } from '@meerkat/engine';
import type { SeededRandom } from '../seeded-random.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';

/** Bytes of a file. */
interface Place {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Puts something that was written to one of a member's files to where it does not belong: another offset, or another
 * file. Half of the time it is a record of a log that comes to stand for another record, checksum and all, now and
 * then with nothing left where it should be; otherwise any bytes anywhere.
 *
 * @param names files of the directory that hold something
 * @param tearBytes so much at the end of the newest log looks like what a crash leaves: nothing can tell, so it is spared
 * @returns what was done, null when nothing was
 */
export function misdirectWrite(
  disk: SimulatedDisk,
  directory: string,
  names: readonly string[],
  tearBytes: number,
  random: SeededRandom,
): string | null {
  const any = (): string | undefined => names[random.below(Math.max(1, names.length))];
  const logs = names.filter((name) => name.startsWith('log.'));
  const contentOf = (name: string): Uint8Array => disk.contentOf(`${directory}/${name}`);
  const records = random.percent(50)
    ? logs.flatMap((name) => recordsOf(name, contentOf(name)))
    : [];
  const [source, aim] =
    records.length > 0
      ? [records[random.below(records.length)], records[random.below(records.length)]]
      : [anyBytes(any(), contentOf, random), anyBytes(any(), contentOf, random)];
  if (source === undefined || aim === undefined) return null;
  const newest = newestOf(logs);
  const sparedFrom = (name: string): number =>
    name === newest ? usedBytes(contentOf(name)) - tearBytes : usedBytes(contentOf(name));
  const bytes = contentOf(source.name).slice(source.start, source.end);
  const before = contentOf(aim.name);
  const length = Math.min(bytes.length, sparedFrom(aim.name) - aim.start);
  if (length <= 0) return null;
  const after = before.slice();
  after.set(bytes.subarray(0, length), aim.start);
  // Digits in the place of digits are an epoch like any other.
  if (aim.name.endsWith('Epoch') && /^\d+$/.test(Buffer.from(after).toString().trim())) return null;
  if (Buffer.compare(before, after) === 0) return null;
  write(disk, `${directory}/${aim.name}`, aim.start, bytes.subarray(0, length));
  const isMissed =
    records.includes(source) &&
    // Behind the last record of a log its end is where it always is.
    source.end < Math.min(sparedFrom(source.name), usedBytes(contentOf(source.name)) - 1) &&
    random.percent(50);
  if (isMissed) {
    write(disk, `${directory}/${source.name}`, source.start, new Uint8Array(bytes.length));
  }
  const what = `${source.name}@${source.start}, ${length} bytes`;
  return `${what}, ${isMissed ? 'went' : 'went also'} to ${aim.name}@${aim.start}`;
}

function write(disk: SimulatedDisk, path: string, start: number, bytes: Uint8Array): void {
  bytes.forEach((byte, index) => {
    disk.corrupt(path, start + index, byte);
  });
}

function anyBytes(
  name: string | undefined,
  contentOf: (name: string) => Uint8Array,
  random: SeededRandom,
): Place | undefined {
  if (name === undefined) return undefined;
  const end = usedBytes(contentOf(name));
  if (end === 0) return undefined;
  const start = random.below(end);
  return { name, start, end: Math.min(end, start + 1 + random.below(1024)) };
}

function recordsOf(name: string, content: Uint8Array): Place[] {
  const places: Place[] = [];
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  for (let start = fileHeaderBytes; start + recordHeadBytes < content.length; ) {
    const length = view.getInt32(start + lengthInHead);
    const end = start + recordHeadBytes + length + 1;
    if (length <= 0 || end > content.length) break;
    places.push({ name, start, end });
    start = end;
  }
  return places;
}

/** The newest of some files that have a zxid as their suffix. */
export function newestOf(names: readonly string[]): string | undefined {
  return [...names].sort((a, b) => zxidOf(a) - zxidOf(b)).at(-1);
}

function zxidOf(name: string): number {
  return Number.parseInt(name.slice(name.indexOf('.') + 1), 16);
}

/** The size without the zeros at the end. */
export function usedBytes(content: Uint8Array): number {
  let length = content.length;
  while (length > 0 && content[length - 1] === 0) length--;
  return length;
}

const lengthInHead = 8;
