import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileHeaderBytes, recordHeadBytes } from '@meerkat/engine';
import type { Recorder } from './recorder.ts';

/** A transaction as it stands in a log. */
interface LoggedTransaction {
  readonly zxid: number;
  /** The transaction before it; null when the logs do not say. */
  readonly before: number | null;
  /** In base64. */
  readonly bytes: string;
}

/**
 * Reads the transactions in members' logs from outside, while they are written, and records each that nobody has shown
 * yet, or that somebody has otherwise.
 */
export class LogHarvest {
  readonly #recorder: Recorder;
  readonly #known = new Map<number, LoggedTransaction>();
  /** By path: what was read when the file had this size and time. */
  readonly #read = new Map<
    string,
    { readonly stamp: string; readonly records: readonly LogRecord[] }
  >();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** How many transactions were seen. */
  get count(): number {
    return this.#known.size;
  }

  /** Reads what a member has in `version-2` now; nothing when it is changing its files just then. */
  take(member: number, directory: string): void {
    const files = stamps(directory);
    const records: { name: string; records: readonly LogRecord[] }[] = [];
    const snapshots: number[] = [];
    for (const [name, stamp] of files) {
      if (name.startsWith('snapshot.')) snapshots.push(zxidIn(name));
      else records.push({ name, records: this.#recordsOf(join(directory, name), stamp) });
    }
    if (!isStill(files, stamps(directory))) return;
    let last = 0;
    for (const { name, records: ofFile } of records) {
      // Between two logs there may be what came as a snapshot.
      const first = zxidIn(name);
      const isKnown =
        last > 0 ? !snapshots.some((zxid) => zxid > last && zxid < first) : first === firstEver;
      let before = isKnown ? last : null;
      for (const { zxid, bytes } of ofFile) {
        this.#note(member, { zxid, before, bytes });
        before = zxid;
        last = zxid;
      }
    }
  }

  #note(member: number, found: LoggedTransaction): void {
    const known = this.#known.get(found.zxid);
    if (known !== undefined && known.bytes === found.bytes) {
      if (found.before === null || known.before === found.before) return;
    }
    this.#known.set(found.zxid, found);
    const { zxid: transaction, before, bytes } = found;
    this.#recorder.note({ member, transaction, before, bytes });
  }

  #recordsOf(path: string, stamp: string): readonly LogRecord[] {
    const before = this.#read.get(path);
    if (before?.stamp === stamp) return before.records;
    const records = readLog(path);
    this.#read.set(path, { stamp, records });
    return records;
  }
}

interface LogRecord {
  readonly zxid: number;
  readonly bytes: string;
}

/** The whole records of a log, up to the first that is not whole: it may be being written. */
function readLog(path: string): LogRecord[] {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch {
    return [];
  }
  const records: LogRecord[] = [];
  for (let at = fileHeaderBytes; at + recordHeadBytes + bodyBytesMin <= content.length; ) {
    const length = content.readInt32BE(at + 8);
    const start = at + recordHeadBytes;
    const end = start + length;
    if (length < bodyBytesMin || end + 1 > content.length || content[end] !== recordEnd) break;
    const body = content.subarray(start, end);
    if (content.readUInt32BE(at + 4) !== adler32(body)) break;
    const zxid = body.readInt32BE(zxidInBody) * 2 ** 32 + body.readUInt32BE(zxidInBody + 4);
    records.push({ zxid, bytes: body.toString('base64') });
    at = end + 1;
  }
  return records;
}

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}

/** Logs and snapshots, oldest first, with what changes when they do. */
function stamps(directory: string): Map<string, string> {
  const found = new Map<string, string>();
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return found;
  }
  const wanted = names.filter((name) => /^(log|snapshot)\.[0-9a-f]+$/.test(name));
  for (const name of wanted.sort((a, b) => zxidIn(a) - zxidIn(b))) {
    const stat = statSync(join(directory, name), { throwIfNoEntry: false });
    if (stat !== undefined) found.set(name, `${stat.ino} ${stat.size} ${stat.mtimeMs}`);
  }
  return found;
}

/** Whether nothing has changed but the newest log. */
function isStill(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): boolean {
  const newest = [...before.keys()].filter((name) => name.startsWith('log.')).at(-1);
  if (before.size !== after.size) return false;
  return [...before].every(([name, stamp]) =>
    name === newest ? after.has(name) : after.get(name) === stamp,
  );
}

function zxidIn(name: string): number {
  return Number.parseInt(name.slice(name.indexOf('.') + 1), 16);
}

/** Where the zxid stands in a record's body, what ends the body, and the least of one. */
const zxidInBody = 12;
const recordEnd = 0x42;
const bodyBytesMin = 32;
/** What the first log of a new ensemble is named after. */
const firstEver = 2 ** 32 + 1;
