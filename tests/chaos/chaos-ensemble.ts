import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { EnsembleMember } from '../peers/support/ensemble-member.ts';
import { Ensemble } from '../peers/support/ensemble-of.ts';
import { clients, type MembersNetwork, strangers, type WayState } from './members-network.ts';
import { NamespaceNetwork } from './namespace-network.ts';
import { PortNetwork } from './port-network.ts';
import { SmallDisk } from './small-disk.ts';

/** The members' `tickTime`, ms. */
export const tickTimeMs = 500;
/** What every member is configured with, beside the ways to the others. */
const config = [
  `tickTime=${tickTimeMs}`,
  'initLimit=20',
  'syncLimit=6',
  'maxSessionTimeout=60000',
  'maxClientCnxns=0',
  'preAllocSize=64',
  // Snapshots and new logs come often, so that faults hit them too, and stay until they have been read.
  'snapCount=500',
  'autopurge.purgeInterval=1s',
  'autopurge.snapRetainCount=30',
  'extendedTypesEnabled=true',
  // No znode goes by itself: the history says who asked for each change.
  'znode.container.checkIntervalMs=1000000000',
  '4lw.commands.whitelist=*',
];

/** Members in processes of their own, in a network that can be parted, on disks that can be full. */
export class ChaosEnsemble extends Ensemble {
  readonly network: MembersNetwork;
  readonly #folder: string;
  /** By member; empty where the machine does not allow it. */
  readonly disks: ReadonlyMap<number, SmallDisk>;
  /** Members that may have ended by themselves, since their disk was full. */
  readonly hadFullDisk = new Set<number>();

  /**
   * @param folder where the members' folders are made
   * @param wantsPorts takes ports even where namespaces can be had
   */
  static async create(folder: string, count: number, wantsPorts: boolean): Promise<ChaosEnsemble> {
    const ids = Array.from({ length: count }, (_, index) => index + 1);
    const inNamespaces = wantsPorts ? 'that was asked for' : NamespaceNetwork.open(ids);
    const network =
      typeof inNamespaces === 'string' ? await PortNetwork.open(ids, inNamespaces) : inNamespaces;
    const disks = new Map<number, SmallDisk>();
    const members = ids.map((id) => {
      const directory = join(folder, String(id));
      mkdirSync(join(directory, 'data'), { recursive: true });
      const disk = SmallDisk.mount(join(directory, 'data'));
      if (disk !== null) disks.set(id, disk);
      const { servers, ...address } = network.addressOf(id);
      const lines = [...config, ...servers];
      return new EnsembleMember('meerkat', {
        id,
        role: 'participant',
        directory,
        lines,
        ...address,
      });
    });
    return new ChaosEnsemble(members, network, disks, folder);
  }

  private constructor(
    members: readonly EnsembleMember[],
    network: MembersNetwork,
    disks: ReadonlyMap<number, SmallDisk>,
    folder: string,
  ) {
    super(members);
    this.network = network;
    this.#folder = folder;
    this.disks = disks;
  }

  get ids(): readonly number[] {
    return this.members.map(({ id }) => id);
  }

  /** A server on a machine of its own that takes itself for a member, with nothing on its disk. */
  strangerWithId(id: number): EnsembleMember {
    const directory = mkdtempSync(join(this.#folder, 'stranger-'));
    const { servers, ...address } = this.network.addressOf(strangers);
    const lines = servers.map((line) => {
      const own = this.network.addressOf(id).host;
      return line.startsWith(`server.${id}=`) ? line.replace(own, address.host) : line;
    });
    const place = { id, role: 'participant', directory, ...address } as const;
    return new EnsembleMember('meerkat', { ...place, lines: [...config, ...lines] });
  }

  /** Shuts all ways between the two sides. */
  part(one: readonly number[], other: readonly number[], state: WayState): void {
    const pairs = one.flatMap((a) => other.filter((b) => b !== a).map((b) => [a, b] as const));
    this.network.setWays([...pairs, ...pairs.map(([a, b]) => [b, a] as const)], state);
  }

  /** Shuts all ways between the clients and some members. */
  partClients(ids: readonly number[], state: WayState): void {
    this.part([clients], ids, state);
  }

  /** Opens every way, and gives room to every disk. */
  heal(): void {
    this.network.heal();
    for (const disk of this.disks.values()) disk.free();
  }

  /** Keeps what is on the disks, which go with the ensemble. */
  keepDisks(): void {
    for (const { id, dataDirectory, place } of this.members) {
      if (!this.disks.has(id)) continue;
      cpSync(dataDirectory, join(place.directory, 'data-at-the-end'), {
        recursive: true,
        filter: (path) => !path.endsWith('filler'),
      });
    }
  }

  /** Ends everything, and gives back what the machine has lent. */
  async end(): Promise<void> {
    await this.kill();
    this.network.close();
    for (const disk of this.disks.values()) disk.giveBack();
  }
}
