/**
 * Why a leader turns a learner away that has said who it is (`LearnerHandler.run`, `Leader.getEpochToPropose`). Owns the
 * words, which whoever runs the servers has to be able to act on; closes nothing.
 */
import { ensembleLimits } from '../limits.ts';
import type { NetworkAddress } from '../ports.ts';
import type { LearnerLink } from './learner-link.ts';
import type { MemberContext } from './member-context.ts';

/**
 * @param older another link of a server with this id, null when there is none
 * @param isEpochOpen whether the epoch is still being looked for
 * @returns null when it is welcome
 */
export function helloRefusal(
  context: MemberContext,
  link: LearnerLink,
  older: LearnerLink | null,
  isEpochOpen: boolean,
): string | null {
  const { view, ensemble, epochs } = context;
  if (link.sid === ensemble.myId) {
    return (
      `it says that its id is ${link.sid}, which is mine: ` +
      `give the server on ${link.address.host} another one, in its file myid`
    );
  }
  if (link.configVersion > view.current.config.version) {
    return `it has a newer configuration, version ${link.configVersion.toString(16)}`;
  }
  if (link.acceptedEpoch >= ensembleLimits.epochMax) {
    return `it has promised epoch ${link.acceptedEpoch}, beyond ${ensembleLimits.epochMax}`;
  }
  if (older !== null && isRival(context, older, link)) {
    return (
      `server ${link.sid} is connected from ${older.address.host} already, and this one comes from ` +
      `${link.address.host}: give one of them another id, in its file myid and in the server lines`
    );
  }
  const mayVote = link.type === 'participant' && view.isVoter(link.sid);
  const aheadMax = epochs.acceptedEpoch + ensembleLimits.epochsAheadMax;
  if (isEpochOpen && mayVote && link.acceptedEpoch > aheadMax) {
    return (
      `it has promised epoch ${link.acceptedEpoch}, far beyond ${epochs.acceptedEpoch}: ` +
      'its data directory is that of another ensemble, or its file acceptedEpoch is damaged'
    );
  }
  return null;
}

/** What is told when learners cannot be awaited at an address that should be this member's own. */
export function cannotAwaitText(
  { ensemble }: MemberContext,
  address: NetworkAddress | undefined,
  reason: string,
): string {
  const where = address === undefined ? '' : ` on ${address.host}:${address.port}`;
  return (
    `Cannot await learners${where}: the system says ${reason}. Is this the address of server ` +
    `${ensemble.myId}, as its server line says, and its port free?`
  );
}

/** Whether a server of the same id is there, elsewhere, and is heard of: two servers have one id. */
function isRival(
  { clock, config }: MemberContext,
  older: LearnerLink,
  newer: LearnerLink,
): boolean {
  const silentMs = clock.monotonicMs() - older.heardMs;
  return older.address.host !== newer.address.host && silentMs < config.tickTimeMs;
}
