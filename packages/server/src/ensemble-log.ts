import type { EnsembleEvents, MemberRole, RoleDetail } from '@meerkat/engine';
import { formatZxid } from '@meerkat/protocol';
import { withDiskAdvice } from './disk-advice.ts';
import type { Log } from './logging/log.ts';

/** What else the shell does when a member tells something. */
export interface EnsembleListener {
  onRole(role: MemberRole, detail: RoleDetail): void;
  onEnsembleFailed(exitCode: number): void;
  onMembersChanged(text: string, version: number): void;
}

/** Puts what a member of an ensemble tells into words for whoever runs the server, and passes it on. */
export function logEnsemble(log: Log, myId: number, listener: EnsembleListener): EnsembleEvents {
  return {
    onRole(role, detail) {
      logRole(log, myId, role, detail);
      listener.onRole(role, detail);
    },
    onEnsembleNotice(kind, peer, text) {
      const level = everyday.get(kind);
      if (level !== undefined) log[level](text);
      else log.remark(`${kind} ${peer ?? ''}`, adviceFor(kind, text), { kind, peer });
    },
    onEnsembleFailed(exitCode, reason) {
      log.fatal(`the server ends: ${adviceFor('cannot listen', reason)}`, { exitCode });
      listener.onEnsembleFailed(exitCode);
    },
    onMembersChanged(text, version) {
      const members = text.split('\n').filter((line) => line.startsWith('server.'));
      log.info('the members of the ensemble have changed', {
        version: formatZxid(version),
        members,
      });
      listener.onMembersChanged(text, version);
    },
  };
}

/** Notices of what goes as it should, and how loud they are. */
const everyday: ReadonlyMap<string, 'info' | 'debug'> = new Map([
  ['listening', 'info'],
  ['awaiting learners', 'info'],
  ['syncing', 'info'],
  ['synced', 'info'],
  ['new leader', 'debug'],
  ['stream ended', 'debug'],
] as const);

function logRole(log: Log, myId: number, role: MemberRole, detail: RoleDetail): void {
  const { leader, epoch, electionMs, syncMs, sync, reason } = detail;
  if (role === 'looking') {
    if (reason === '') log.info(`server ${myId} looks for a leader`);
    else log.warn(`server ${myId} looks for a leader: ${reason}`, { epoch });
    return;
  }
  const times = { epoch, electionMs: Math.round(electionMs), syncMs: Math.round(syncMs) };
  if (role === 'leading') {
    log.info(`server ${myId} leads and serves clients`, times);
  } else {
    const what = role === 'observing' ? 'observes' : 'follows';
    log.info(`server ${myId} ${what} server ${leader ?? '?'} and serves clients`, {
      ...times,
      sync,
    });
  }
}

/** The notice with what to do about it, where the system's word alone says too little. */
function adviceFor(kind: string, text: string): string {
  if (kind === 'cannot listen' && text.includes('EADDRNOTAVAIL')) {
    return `${text}; this server's own server.N line names a host that is not this machine: correct the line or myid, or set quorumListenOnAllIPs=true`;
  }
  if (kind === 'cannot listen' && text.includes('EADDRINUSE')) {
    return `${text}; another program has the port: stop it, or change the port in the server.N line everywhere`;
  }
  if (kind === 'history not trusted') {
    return `this member cannot trust its own disk: it asks the leader for everything, and has no vote until it has it. ${text}`;
  }
  if (kind === 'unknown server') {
    return `${text}; compare the server.N lines of all members, they have to be the same`;
  }
  return withDiskAdvice(text);
}
