import { setTimeout as delay } from 'node:timers/promises';
import { diskFaults } from './disk-faults.ts';
import { type Fault, some } from './fault.ts';
import { networkFaults } from './network-faults.ts';
import { strangerFaults } from './stranger-faults.ts';

const processFaults: readonly Fault[] = [
  {
    name: 'kill -9 of the leader',
    weight: 4,
    async run(ensemble, random) {
      const leader = await ensemble.leader();
      await leader.kill();
      await delay(200 + random.below(3000));
      leader.start();
      return `member ${leader.id}`;
    },
  },
  {
    name: 'kill -9 of some members',
    weight: 4,
    async run(ensemble, random) {
      // At times more than a minority: then nobody serves until they are back, and nothing may be lost.
      const ids = some(ensemble, random, 1 + random.below(3));
      await Promise.all(ids.map((id) => ensemble.member(id).kill()));
      await delay(random.below(2500));
      for (const id of ids) ensemble.member(id).start();
      return `members ${ids.join(', ')}`;
    },
  },
  {
    name: 'kill -9 of all members',
    weight: 1,
    async run(ensemble, random) {
      await ensemble.kill();
      await delay(random.below(1000));
      for (const member of ensemble.members) member.start();
      return '';
    },
  },
  {
    name: 'SIGTERM of a member',
    weight: 2,
    async run(ensemble, random) {
      const [id = 1] = some(ensemble, random, 1);
      await ensemble.member(id).stop();
      await delay(random.below(1500));
      ensemble.member(id).start();
      return `member ${id}`;
    },
  },
  {
    name: 'SIGSTOP',
    weight: 4,
    async run(ensemble, random) {
      const ids = some(ensemble, random, 1 + random.below(2));
      await Promise.all(ids.map((id) => ensemble.member(id).pause()));
      await delay(300 + random.below(6000));
      for (const id of ids) ensemble.member(id).resume();
      return `members ${ids.join(', ')}`;
    },
  },
  {
    name: 'SIGSTOP of the leader',
    weight: 3,
    async run(ensemble, random) {
      const leader = await ensemble.leader();
      await leader.pause();
      await delay(500 + random.below(6000));
      leader.resume();
      return `member ${leader.id}`;
    },
  },
];

/** Everything that can happen to an ensemble of processes. */
export const faults: readonly Fault[] = [
  ...processFaults,
  ...networkFaults,
  ...diskFaults,
  ...strangerFaults,
];
