import { fileHeaderBytes, recordHeadBytes } from '@meerkat/engine';
import { formatZxid } from '@meerkat/protocol';
import type { SimulatedDisk } from '../simulated-disk.ts';
import { type Configurations, isMajority } from './configurations.ts';
import type { EnsembleMember } from './ensemble-member.ts';
import { demand } from './violation.ts';

/**
 * What is committed is on the disks of a quorum, whatever happens to their power. Looks at the disks from outside, and
 * reads the logs on them once more.
 */
export class DurabilityChecker {
  readonly #members: readonly EnsembleMember[];
  readonly #configurations: Configurations;
  readonly #seen = new Map<EnsembleMember, DurableEnd>();

  constructor(members: readonly EnsembleMember[], configurations: Configurations) {
    this.#members = members;
    this.#configurations = configurations;
  }

  /** @throws Violation when a transaction that is committed now would not outlive a power cut */
  onCommitted(zxid: number): void {
    for (const voters of this.#configurations.neededFor(zxid)) {
      const members = this.#members.filter(({ id }) => voters.has(id));
      const having = members.filter((member) => this.#hadIt(member, zxid)).map(({ id }) => id);
      for (const member of members) {
        if (isMajority(having, voters)) break;
        if (!having.includes(member.id) && this.#has(member, zxid)) having.push(member.id);
      }
      demand(isMajority(having, voters), 'what is committed is durable on a quorum', () => {
        return `${formatZxid(zxid)} is on the disks of ${having.join()}, of ${[...voters].join()}`;
      });
    }
  }

  /** What was seen before; a disk that was lost had it when its member said so. */
  #hadIt(member: EnsembleMember, zxid: number): boolean {
    const end = this.#seen.get(member);
    return member.isDamaged || (end?.disk === member.disk && end.zxid >= zxid);
  }

  /** Reads the disk: the log that was read last has grown, or there are others. */
  #has(member: EnsembleMember, zxid: number): boolean {
    const { disk } = member;
    const directory = `${member.config.dataDir}/version-2`;
    let end = this.#seen.get(member);
    const log = end?.disk === disk ? disk.durableContent(`${directory}/${end.log}`) : undefined;
    if (end !== undefined && log !== undefined) end = readOn(end, log);
    if (log === undefined || end === undefined || end.zxid < zxid) {
      end = durableEnd(disk, directory, end);
    }
    this.#seen.set(member, end);
    return end.zxid >= zxid;
  }
}

/** Where the durable part of a member's history ends. */
interface DurableEnd {
  readonly disk: SimulatedDisk;
  readonly zxid: number;
  /** The log that was read last, and how far. */
  readonly log: string;
  readonly offset: number;
  readonly logZxid: number;
}

function durableEnd(
  disk: SimulatedDisk,
  directory: string,
  before: DurableEnd | undefined,
): DurableEnd {
  let newest = '';
  let newestNamed = 0;
  let content = new Uint8Array(0);
  let zxid = 0;
  for (const [name, bytes] of disk.durableFiles(directory)) {
    const dot = name.indexOf('.');
    const named = Number.parseInt(name.slice(dot + 1), 16);
    if (name.startsWith('snapshot.') && bytes.length > 0) zxid = Math.max(zxid, named);
    if (!name.startsWith('log.') || bytes.length === 0) continue;
    if (newest !== '' && named < newestNamed) continue;
    newestNamed = named;
    newest = name;
    content = bytes as Uint8Array<ArrayBuffer>;
  }
  const isSame = before?.disk === disk && before.log === newest && before.offset <= content.length;
  const offset = isSame ? before.offset : fileHeaderBytes;
  const logZxid = isSame ? before.logZxid : 0;
  const known = { disk, zxid: Math.max(zxid, logZxid), log: newest, offset, logZxid };
  return readOn(known, content);
}

/** Reads the records of the same log that have come since. */
function readOn(before: DurableEnd, content: Uint8Array): DurableEnd {
  let { offset, logZxid } = before;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  while (offset + recordHeadBytes + zxidInBody + 8 <= content.length) {
    const length = view.getInt32(offset + 8);
    const next = offset + recordHeadBytes + length + 1;
    if (length <= 0 || next > content.length || content[next - 1] !== recordEnd) break;
    const at = offset + recordHeadBytes + zxidInBody;
    logZxid = view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);
    offset = next;
  }
  return { ...before, zxid: Math.max(before.zxid, logZxid), offset, logZxid };
}

/** Where the zxid stands in a record's body, and what ends the body. */
const zxidInBody = 12;
const recordEnd = 0x42;
