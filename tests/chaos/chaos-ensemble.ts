import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnsembleMember } from '../peers/support/ensemble-member.ts';
import { Ensemble } from '../peers/support/ensemble-of.ts';
import { quietPort } from '../peers/support/quiet-port.ts';
import { PeerProxy, type WayState } from './peer-proxies.ts';

/** What every member is configured with, beside the ways to the others. */
const config = [
  'tickTime=500',
  'initLimit=20',
  'syncLimit=6',
  'maxSessionTimeout=60000',
  'maxClientCnxns=0',
  'preAllocSize=64',
  // Snapshots and new logs come often, so that faults hit them too.
  'snapCount=500',
  'autopurge.purgeInterval=1s',
  '4lw.commands.whitelist=*',
];
/** What a member with a small disk has, bytes. */
const smallDiskBytes = 192 * 1024 * 1024;

/** Members in processes of their own, each of which reaches every other one by a way that can be shut. */
export class ChaosEnsemble extends Ensemble {
  /** By `from`, then `to`: the ways to the two ports of a member. */
  readonly #ways = new Map<string, readonly PeerProxy[]>();
  /** Folders of this machine's memory that stand for small disks, by member. */
  readonly #smallDisks = new Map<number, string>();

  /** @param folder where the members' folders are made */
  static async create(folder: string, count: number): Promise<ChaosEnsemble> {
    const ids = Array.from({ length: count }, (_, index) => index + 1);
    const ports = new Map<number, { quorum: number; election: number }>();
    for (const id of ids) ports.set(id, { quorum: await quietPort(), election: await quietPort() });
    const ways = new Map<string, readonly PeerProxy[]>();
    const smallDisks = new Map<number, string>();
    const members: EnsembleMember[] = [];
    for (const id of ids) {
      const servers: string[] = [];
      for (const [other, { quorum, election }] of ports) {
        if (other === id) {
          servers.push(`server.${id}=127.0.0.1:${quorum}:${election}:participant`);
          continue;
        }
        const pair = [await PeerProxy.open(quorum), await PeerProxy.open(election)] as const;
        ways.set(`${id} ${other}`, pair);
        servers.push(`server.${other}=127.0.0.1:${pair[0].port}:${pair[1].port}:participant`);
      }
      const directory = join(folder, String(id));
      mkdirSync(join(directory, 'data'), { recursive: true });
      if (id === count && mountSmallDisk(join(directory, 'data'))) {
        smallDisks.set(id, join(directory, 'data'));
      }
      const lines = [...config, ...servers];
      const place = { id, role: 'participant', directory, clientPort: await quietPort(), lines };
      members.push(new EnsembleMember('meerkat', { ...place, role: 'participant' }));
    }
    return new ChaosEnsemble(members, ways, smallDisks);
  }

  private constructor(
    members: readonly EnsembleMember[],
    ways: ReadonlyMap<string, readonly PeerProxy[]>,
    smallDisks: ReadonlyMap<number, string>,
  ) {
    super(members);
    for (const [key, pair] of ways) this.#ways.set(key, pair);
    for (const [id, directory] of smallDisks) this.#smallDisks.set(id, directory);
  }

  /** The member whose disk can be filled; null where the machine does not allow it. */
  get smallDiskMember(): number | null {
    return [...this.#smallDisks.keys()][0] ?? null;
  }

  /** Shuts, or opens, what member `from` has opened to member `to`. */
  setWay(from: number, to: number, state: WayState): void {
    for (const proxy of this.#ways.get(`${from} ${to}`) ?? []) proxy.set(state);
  }

  /** Shuts all ways between the two sides. */
  part(one: readonly number[], other: readonly number[], state: WayState): void {
    for (const a of one) {
      for (const b of other) {
        this.setWay(a, b, state);
        this.setWay(b, a, state);
      }
    }
  }

  /** Opens every way. */
  heal(): void {
    for (const pair of this.#ways.values()) for (const proxy of pair) proxy.set('open');
  }

  /** Leaves no room on the disk of the member that has a small one. */
  fillDisk(): void {
    for (const directory of this.#smallDisks.values()) {
      const { bavail, bsize } = statfsSync(directory);
      writeFileSync(join(directory, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize)));
    }
  }

  /** Gives the room back. */
  freeDisk(): void {
    for (const directory of this.#smallDisks.values())
      rmSync(join(directory, 'filler'), { force: true });
  }

  /** Ends everything and gives the small disks back. */
  async end(): Promise<void> {
    await this.kill();
    for (const pair of this.#ways.values()) for (const proxy of pair) proxy.close();
    for (const directory of this.#smallDisks.values()) giveBack(directory);
  }
}

/** Whether this machine lets us have a disk that is small: only root may mount one. */
function mountSmallDisk(directory: string): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const options = ['-t', 'tmpfs', '-o', `size=${smallDiskBytes}`, 'tmpfs', directory];
  if (spawnSync('mount', options, { stdio: 'ignore' }).status !== 0) return false;
  process.once('exit', () => giveBack(directory));
  return true;
}

/** Also when somebody still looks at it, and twice if need be. */
function giveBack(directory: string): void {
  spawnSync('umount', ['-l', directory], { stdio: 'ignore' });
}
