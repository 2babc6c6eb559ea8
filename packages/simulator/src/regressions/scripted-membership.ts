import { clientPort, type EnsembleMember } from '../ensemble/ensemble-member.ts';
import { type EnsembleSettings, memberLine } from '../ensemble/ensemble-settings.ts';
import type { SimulatedClient } from '../ensemble/simulated-client.ts';
import { demand } from '../ensemble/violation.ts';
import {
  changedMembers,
  type ModelReconfig,
  superCredentials,
  superDigest,
} from '../model/model-reconfig.ts';
import { ScriptedEnsemble } from './scripted-ensemble.ts';

/** An ensemble that does what a script says, whose members change. */
export class ScriptedMembership extends ScriptedEnsemble {
  constructor(settings: Partial<EnsembleSettings> = {}, seed = 1) {
    super({ clients: 4, spares: 1, ...settings }, seed);
  }

  /** Starts those that belong to it, unless said otherwise, and waits until they serve. */
  override begin(members: readonly EnsembleMember[] = this.belonging): this {
    return super.begin(members);
  }

  /** Those who belong to it, by what is committed. */
  get belonging(): readonly EnsembleMember[] {
    return this.members.filter(({ id }) => this.configurations.has(id));
  }

  /** The client that may change members; it has a session. */
  get admin(): SimulatedClient {
    return this.adminAt(null);
  }

  /** The same client; with a new session, at this member, unless any will do. */
  adminAt(member: EnsembleMember | null): SimulatedClient {
    const client = this.clients.at(-1) as SimulatedClient;
    if (client.isIdle || member !== null) {
      this.sessions.forget(client.record);
      const credentials = { auth: superCredentials, digestId: superDigest };
      const servers = member === null ? {} : { servers: `${member.host}:${clientPort}` };
      client.open({ sessionTimeoutMs: 40_000, credentials, ...servers });
      this.sessions.watch(client.record);
    }
    this.untilConnected(client);
    return client;
  }

  /** Sends a change of the members, of which nobody knows what becomes. */
  propose(client: SimulatedClient, request: ModelReconfig): void {
    const members = changedMembers(this.configurations.inForce, request);
    if (typeof members !== 'number') this.configurations.noteAsked(members, this.nowMs());
    client.submit([request]);
  }

  /** Changes the members, which must succeed. */
  change(request: ModelReconfig): void {
    const { admin } = this;
    const before = admin.successes;
    this.ask(admin, request);
    const isSo = admin.successes === before + 1;
    demand(isSo, 'a change of a script succeeds', () => JSON.stringify(request));
  }

  /** Starts a new member, and adds it to those that belong to it. */
  join(type: 'participant' | 'observer'): EnsembleMember {
    const member = this.members.find(({ id, isUp }) => !isUp && !this.configurations.has(id));
    if (member === undefined) throw new Error('all members belong to it');
    const lines = new Map(this.configurations.inForce.lines).set(
      member.id,
      memberLine(member.id, type),
    );
    const texts = [...lines].map(([id, line]) => `server.${id}=${line}`);
    this.replaceDisk(member);
    member.files.write(member.disk, `${texts.join('\n')}\n`);
    this.start(member);
    this.untilServing([member]);
    this.change(joining(member, type));
    this.untilServing();
    return member;
  }

  override untilServing(members: readonly EnsembleMember[] = this.belonging): void {
    super.untilServing(members);
  }
}

/** Adds a member, or changes it; its ports are higher by `shift`. */
export function joining(
  { id }: EnsembleMember,
  type: 'participant' | 'observer',
  shift = 0,
): ModelReconfig {
  return reconfig({ joining: `server.${id}=${memberLine(id, type, shift)}` });
}

/** Removes a member. */
export function leaving({ id }: EnsembleMember): ModelReconfig {
  return reconfig({ leaving: String(id) });
}

/** All members, in place of a difference. */
export function reconfig(parts: Partial<ModelReconfig>): ModelReconfig {
  const nothing = { joining: null, leaving: null, newMembers: null, fromConfig: -1 };
  return { kind: 'reconfig', ...nothing, ...parts };
}
