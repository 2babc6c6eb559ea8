import { setTimeout as delay } from 'node:timers/promises';
import type { EnsembleMember } from '../peers/support/ensemble-member.ts';
import { type Fault, some } from './fault.ts';

/** What can happen to the members' disks. */
export const diskFaults: readonly Fault[] = [
  {
    name: 'wiped member',
    weight: 2,
    async run(ensemble, random, beforeLoss) {
      const [id = 1] = some(ensemble, random, 1);
      // What a member knows alone must not go: the others are well, and have all of it.
      await ensemble.untilServing();
      const member = ensemble.member(id);
      await member.kill();
      beforeLoss();
      member.wipe();
      member.start();
      await member.untilServing();
      return `member ${id}`;
    },
  },
  {
    name: 'full disk',
    weight: 4,
    isPossible: ({ disks, ids }) => disks.size === ids.length,
    async run(ensemble, random) {
      const ids = some(ensemble, random, random.oneIn(4) ? 3 : 1);
      for (const id of ids) ensemble.disks.get(id)?.fill();
      for (const id of ids) ensemble.hadFullDisk.add(id);
      await delay(1000 + random.below(4000));
      const details: string[] = [];
      for (const id of ids) {
        const member = ensemble.member(id);
        const ending = member.isRunning ? 'it goes on' : `it ended with ${member.ending}`;
        details.push(`member ${id}: ${ending}${await startInVain(member, random.oneIn(2))}`);
      }
      for (const id of ids) ensemble.disks.get(id)?.free();
      for (const id of ids) if (!ensemble.member(id).isRunning) ensemble.member(id).start();
      return details.join('; ');
    },
  },
];

/** Starts a member that has ended while its disk is still full, and says what comes of that. */
async function startInVain(member: EnsembleMember, isWanted: boolean): Promise<string> {
  if (member.isRunning || !isWanted) return '';
  member.start();
  await delay(2000);
  return member.isRunning
    ? ', started all the same'
    : `, and again at its start with ${member.ending}`;
}
