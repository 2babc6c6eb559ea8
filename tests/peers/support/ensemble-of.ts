import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { EnsembleMember, type MemberKind } from './ensemble-member.ts';
import { temporaryDirectory } from './paths.ts';
import { quietPort } from './quiet-port.ts';
import { until } from './until.ts';

/** What an ensemble is made with. */
export interface EnsembleOptions {
  /** Who votes, from id 1 on. */
  readonly voters: readonly MemberKind[];
  /** Who observes, with the ids after them. */
  readonly observers?: readonly MemberKind[];
  /** True: each member awaits the others at an address of its own, 127.0.1.N, so that they can share a port number. */
  readonly hasOwnHosts?: boolean;
  /** Lines of zoo.cfg beside the usual ones, which they replace. */
  readonly config?: Readonly<Record<string, string | number>>;
}

const usualConfig: Readonly<Record<string, string | number>> = {
  tickTime: 500,
  initLimit: 20,
  syncLimit: 10,
  maxSessionTimeout: 60_000,
  maxClientCnxns: 0,
  preAllocSize: 256,
  'admin.enableServer': 'false',
  '4lw.commands.whitelist': '*',
};

/** Members of either kind on ports of this machine; nothing runs before it is started. */
export class Ensemble {
  /** By id, from 1. */
  readonly members: readonly EnsembleMember[];

  protected constructor(members: readonly EnsembleMember[]) {
    this.members = members;
  }

  /** Finds ports and writes the configurations. All processes end with the test. */
  static async of(t: TestContext, options: EnsembleOptions): Promise<Ensemble> {
    const kinds = [
      ...options.voters.map((kind) => ({ kind, role: 'participant' as const })),
      ...(options.observers ?? []).map((kind) => ({ kind, role: 'observer' as const })),
    ];
    const servers = await Promise.all(
      kinds.map(async ({ role }, index) => {
        const host = options.hasOwnHosts === true ? `127.0.1.${index + 1}` : '127.0.0.1';
        return `server.${index + 1}=${host}:${await quietPort(host)}:${await quietPort(host)}:${role}`;
      }),
    );
    const config = Object.entries({ ...usualConfig, ...options.config });
    const lines = [...config.map(([key, value]) => `${key}=${value}`), ...servers];
    const folder = temporaryDirectory('ensemble');
    const members = await Promise.all(
      kinds.map(async ({ kind, role }, index) => {
        const directory = join(folder, `${index + 1}`);
        mkdirSync(directory);
        const clientPort = await quietPort();
        return new EnsembleMember(kind, { id: index + 1, role, directory, clientPort, lines });
      }),
    );
    const ensemble = new Ensemble(members);
    t.after(() => ensemble.kill());
    return ensemble;
  }

  /** All members, as clients take them. */
  get connectString(): string {
    return this.members.map(({ connectString }) => connectString).join(',');
  }

  /** The member with this id. */
  member(id: number): EnsembleMember {
    const member = this.members[id - 1];
    if (member === undefined) throw new Error(`The ensemble has no member ${id}`);
    return member;
  }

  /**
   * Starts all members and waits until all serve. The one that is to lead is started first and looks for others
   * before they come; with the highest id and no older data than theirs it is elected.
   */
  async start(leaderId?: number): Promise<void> {
    if (leaderId !== undefined) {
      this.member(leaderId).start();
      await this.member(leaderId).untilUp();
    }
    for (const member of this.members) if (!member.isRunning) member.start();
    await this.untilServing();
    if (leaderId !== undefined) await this.member(leaderId).untilMode('leader');
  }

  /** Waits until every member that runs serves. */
  async untilServing(): Promise<void> {
    const running = this.members.filter(({ isRunning }) => isRunning);
    await Promise.all(running.map((member) => member.untilServing()));
  }

  /** The member that leads now; waits for one. */
  leader(): Promise<EnsembleMember> {
    return until(
      'a member leads',
      async () => {
        const modes = await Promise.all(this.members.map((member) => member.mode()));
        return this.members[modes.indexOf('leader')] ?? false;
      },
      { detail: () => this.logTails() },
    );
  }

  /** Waits until all members that run have applied the same, and returns the zxid. */
  untilEqual(): Promise<number> {
    return until(
      'all members have applied the same',
      async () => {
        const running = this.members.filter(({ isRunning }) => isRunning);
        const zxids = await Promise.all(running.map((member) => member.zxid()));
        const [zxid = -1] = zxids;
        return zxid >= 0 && zxids.every((other) => other === zxid) && { zxid };
      },
      { detail: () => this.logTails() },
    ).then(({ zxid }) => zxid);
  }

  /** Kills every process. */
  async kill(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }

  /** The ends of all logs. */
  logTails(): string {
    return this.members.map((member) => member.logTail()).join('\n');
  }
}
