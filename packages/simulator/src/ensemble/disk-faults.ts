import { anyUp, type Fault, healLater } from './fault.ts';
import { misdirectWrite, newestOf, usedBytes } from './misdirected-writes.ts';

/** What happens to disks. */
export const diskFaults: Readonly<Record<string, Fault>> = {
  'failing sync': (host, random) => {
    const member = anyUp(host, random);
    if (member === undefined) return false;
    host.say(`the next sync of ${member.id} fails`);
    let isSpent = false;
    member.diskFault = ({ kind }) => {
      if (kind !== 'sync' || isSpent) return null;
      isSpent = true;
      return 'EIO';
    };
    return true;
  },
  'full disk': (host, random, isOver) => {
    const member = anyUp(host, random);
    if (member === undefined) return false;
    host.say(`the disk of ${member.id} is full`);
    member.diskFault = ({ kind }) =>
      kind === 'write' || kind === 'create' || kind === 'replace' ? 'ENOSPC' : null;
    healLater(host, random, isOver, () => {
      member.diskFault = () => null;
    });
    return true;
  },
  'flipped bits': (host, random) => {
    const member = host.members[random.below(host.members.length)];
    if (member === undefined) return false;
    return host.loseDisk(member, ({ disk, config }) => {
      const directory = `${config.dataDir}/version-2`;
      const files = disk
        .list(directory)
        .filter((name) => disk.sizeBytes(`${directory}/${name}`) > 0);
      const any = files[random.below(Math.max(1, files.length))];
      // What recovery begins with is worth most.
      const name = random.percent(50) ? (newest(files, 'snapshot.') ?? any) : any;
      if (name === undefined) return;
      const path = `${directory}/${name}`;
      const content = disk.contentOf(path);
      const isNewestLog = name.startsWith('log.') && name === newest(files, 'log.');
      const tearBytes = config.limits.logGroupBytesMax + 1024;
      const position = random.below(content.length);
      // What lies in reach of the last write is taken for what a crash left of it: nothing can tell the two apart.
      if (isNewestLog && position > usedBytes(content) - tearBytes) return;
      const flipped = (content[position] as number) ^ (1 << random.below(8));
      // A digit that becomes another digit is an epoch like any other: nothing can notice it.
      if (name.endsWith('Epoch') && flipped >= 0x30 && flipped <= 0x39) return;
      disk.corrupt(path, position, flipped);
      host.say(`a bit of ${name} of ${member.id} is flipped, at ${position}`);
    });
  },
  'misdirected write': (host, random) => {
    const member = host.members[random.below(host.members.length)];
    if (member === undefined) return false;
    return host.loseDisk(member, ({ disk, config }) => {
      const directory = `${config.dataDir}/version-2`;
      const files = disk
        .list(directory)
        .filter((name) => disk.sizeBytes(`${directory}/${name}`) > 0);
      const tearBytes = config.limits.logGroupBytesMax + 1024;
      const what = misdirectWrite(disk, directory, files, tearBytes, random);
      if (what !== null) host.say(`on the disk of ${member.id} ${what}`);
    });
  },
  'lost disk': (host, random) => {
    const member = host.members[random.below(host.members.length)];
    if (member === undefined) return false;
    return host.loseDisk(member, () => {
      member.wipe();
      host.say(`the disk of ${member.id} is replaced by an empty one`);
    });
  },
};

function newest(files: readonly string[], kind: 'log.' | 'snapshot.'): string | undefined {
  return newestOf(files.filter((name) => name.startsWith(kind)));
}
