import { openAclUnsafe } from '@meerkat/protocol';
import { plainRoles } from '../ensemble/drawn-roles.ts';
import { clientPort, type EndOfLife, type EnsembleMember } from '../ensemble/ensemble-member.ts';
import type { EnsembleSettings } from '../ensemble/ensemble-settings.ts';
import { EnsembleWorld } from '../ensemble/ensemble-world.ts';
import type { SimulatedClient } from '../ensemble/simulated-client.ts';
import { demand } from '../ensemble/violation.ts';
import type { ModelRead } from '../model/model-reads.ts';
import type { ModelWrite } from '../model/model-tree.ts';
import { SeededRandom } from '../seeded-random.ts';

/** A quiet ensemble of three: what is not said stays as it is. */
const quiet: EnsembleSettings = {
  voters: 3,
  ...plainRoles,
  containerCheckMs: 1e9,
  maxNeverUsedMs: 0,
  spares: 0,
  firstId: 1,
  clients: 3,
  tickTimeMs: 2000,
  latencyMs: [1, 3],
  systemBytesMax: 100_000,
  diskLatencyMs: 0.1,
  snapCount: 100_000,
  commitLogCount: 500,
  snapshotSizeFactor: 0.33,
  evenSendSnapshots: false,
  preAllocSizeKb: 0,
  logGroupBytesMax: 64 * 1024,
  epochTransactionsMax: 0xffff0000,
  closeSessionTxnEnabled: true,
  stormMs: 0,
  faultGapMs: 0,
  thinkMs: 0,
};

/**
 * An ensemble that does what a script says, and nothing by itself, with all checkers at work: whatever a script does, an
 * acknowledged write stays, histories agree, and clients see them in order.
 */
export class ScriptedEnsemble extends EnsembleWorld {
  constructor(settings: Partial<EnsembleSettings> = {}, seed = 1) {
    super({ ...quiet, ...settings }, new SeededRandom(seed));
  }

  /** Starts these members, all of them unless said otherwise, and waits until they serve. */
  begin(members: readonly EnsembleMember[] = this.members): this {
    for (const member of members) if (!member.isUp) this.start(member);
    this.untilServing(members);
    return this;
  }

  /** Waits until these members serve. */
  untilServing(members: readonly EnsembleMember[] = this.members): void {
    const isSo = (): boolean =>
      this.leader !== undefined && members.every(({ isServing }) => isServing);
    this.runUntil(isSo, waitMsMax, 'a connected majority serves', () => this.describeMembers());
  }

  /** Who leads. */
  theLeader(): EnsembleMember {
    const { leader } = this;
    if (leader === undefined) throw new Error(`nobody leads: ${this.describeMembers()}`);
    return leader;
  }

  /** The voters that do not lead, the one with the lowest id first. */
  theFollowers(): readonly [EnsembleMember, EnsembleMember, ...EnsembleMember[]] {
    return this.theOthers(this.theLeader());
  }

  /** The voters besides this one, the one with the lowest id first. */
  theOthers(
    member: EnsembleMember,
  ): readonly [EnsembleMember, EnsembleMember, ...EnsembleMember[]] {
    const [first, second, ...others] = this.members.filter(
      (each) => each.isVoter && each !== member,
    );
    if (first === undefined || second === undefined)
      throw new Error('an ensemble of less than three');
    return [first, second, ...others];
  }

  /** A client opens a session with one member, or with any. */
  client(number: number, member?: EnsembleMember, sessionTimeoutMs = 20_000): SimulatedClient {
    const client = this.clients[number - 1];
    if (client === undefined) throw new Error(`there are ${this.clients.length} clients`);
    const servers = member === undefined ? {} : { servers: `${member.host}:${clientPort}` };
    client.open({ sessionTimeoutMs, credentials: null, ...servers });
    this.sessions.watch(client.record);
    this.untilConnected(client);
    return client;
  }

  untilConnected(client: SimulatedClient): void {
    this.runUntil(
      () => client.isConnected,
      waitMsMax,
      'a client is served',
      () => client.name,
    );
  }

  /** Sends requests in one turn and waits for all the answers. Returns how long that took, ms. */
  ask(client: SimulatedClient, ...requests: readonly (ModelRead | ModelWrite)[]): number {
    client.submit(requests);
    const isSo = (): boolean => client.underWay === 0;
    return this.runUntil(isSo, waitMsMax, 'a client is answered', () => client.name);
  }

  /** Writes `count` znodes below `/`, one after the other, each acknowledged. */
  write(client: SimulatedClient, name: string, count = 1): void {
    // What was asked before is answered first.
    this.ask(client);
    for (let i = 0; i < count; i++) {
      const before = client.successes;
      this.ask(client, create(`/${name}${i}`));
      demand(client.successes === before + 1, 'a write of a script succeeds', () => `${name}${i}`);
    }
  }

  /** Nothing goes between a member and the other members any more. */
  cutOff(member: EnsembleMember): void {
    for (const other of this.members) {
      this.fabric.setBlocked(member.host, other.host, true);
      this.fabric.setBlocked(other.host, member.host, true);
    }
  }

  /** Ends these members at the same moment. */
  crashAll(members: readonly EnsembleMember[], how: EndOfLife = 'power'): void {
    for (const member of members) this.crash(member, how);
  }

  /** A member loses its disk, and is down. */
  wipe(member: EnsembleMember): void {
    this.loseDisk(member, () => member.wipe());
  }

  /** All is well again: everybody comes up, and all members must be the same in the end. */
  finish(): void {
    this.fabric.heal();
    for (const member of this.members) {
      member.doom(0, 'kill');
      member.diskFault = () => null;
    }
    this.begin();
    this.runFor(5 * this.tickTimeMs);
    this.checkEnd();
  }
}

/** A create of a persistent znode that anybody may change. */
export function create(path: string, data = 'x'): ModelWrite & { readonly kind: 'create' } {
  return { kind: 'create', type: 1, path, data, acl: openAclUnsafe, flags: 0 };
}

export function setData(path: string, data: string, version = -1): ModelWrite {
  return { kind: 'setData', path, data, version };
}

export function remove(path: string): ModelWrite {
  return { kind: 'delete', path, version: -1 };
}

export function getData(path: string, watch = false): ModelRead {
  return { kind: 'getData', path, watch };
}

export function sync(path = '/'): ModelRead {
  return { kind: 'sync', path };
}

/** How long a script waits for what has to come, ms. */
const waitMsMax = 120_000;
