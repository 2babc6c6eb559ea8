import type { ZooKeeper } from '@meerkat/client';
import type { TestMember } from './test-member.ts';

/**
 * One side of a partition: members, by index or as they are in `TestEnsemble.members`, clients of `TestEnsemble.client`,
 * and `'clients'` for every client that is not named by itself.
 */
export type PartitionGroup = readonly (number | TestMember | ZooKeeper | 'clients')[];

/** Who connects: a client of the kit, or null for all others. */
export type LinkOwner = ZooKeeper | null;

/** Who reaches whom. Whoever is in no group reaches everybody. */
export class Partition {
  /** The groups of each member that is in one. */
  readonly #ofMember = new Map<number, Set<number>>();
  readonly #ofClient = new Map<ZooKeeper | 'clients', Set<number>>();

  /** @param isMember says whether there is a member with that index; others are refused */
  constructor(groups: readonly PartitionGroup[], isMember: (index: number) => boolean) {
    for (const [number, group] of groups.entries()) {
      if (!Array.isArray(group)) throw badPart(group);
      for (const part of group as PartitionGroup) {
        if (part === 'clients' || isClient(part)) add(this.#ofClient, part, number);
        else add(this.#ofMember, memberIndexOf(part, isMember), number);
      }
    }
  }

  /** Whether a client's bytes get to a member, and the member's to the client. */
  clientReaches(owner: LinkOwner, memberIndex: number): boolean {
    const own = owner === null ? undefined : this.#ofClient.get(owner);
    return share(own ?? this.#ofClient.get('clients'), this.#ofMember.get(memberIndex));
  }

  /** Whether bytes get from one member to another. */
  memberReaches(from: number, to: number): boolean {
    return from === to || share(this.#ofMember.get(from), this.#ofMember.get(to));
  }
}

function add<Key>(groups: Map<Key, Set<number>>, key: Key, number: number): void {
  const numbers = groups.get(key) ?? new Set();
  groups.set(key, numbers.add(number));
}

function share(one: Set<number> | undefined, other: Set<number> | undefined): boolean {
  if (one === undefined || other === undefined) return true;
  return [...one].some((number) => other.has(number));
}

function isClient(part: unknown): part is ZooKeeper {
  return typeof part === 'object' && part !== null && 'sessionId' in part;
}

function memberIndexOf(part: number | TestMember, isMember: (index: number) => boolean): number {
  const index = typeof part === 'object' && part !== null ? part.index : part;
  if (!isMember(index)) throw badPart(part);
  return index;
}

function badPart(part: unknown): Error {
  const shown = JSON.stringify(part) ?? typeof part;
  return new Error(
    `Cannot partition: current value is ${shown}; it must be groups of members, clients of client(), or 'clients'`,
  );
}
