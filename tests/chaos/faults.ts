import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../peers/support/seeded-random.ts';
import type { ChaosEnsemble } from './chaos-ensemble.ts';

/** One kind of mischief: does it, and has undone it when it returns. */
export interface Fault {
  readonly name: string;
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  run(ensemble: ChaosEnsemble, random: SeededRandom): Promise<string>;
}

/** Everything that can happen to an ensemble of processes. */
export const faults: readonly Fault[] = [
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
  {
    name: 'partition',
    weight: 5,
    async run(ensemble, random) {
      const one = some(ensemble, random, 1 + random.below(2));
      const other = ensemble.members.map(({ id }) => id).filter((id) => !one.includes(id));
      const state = random.oneIn(3) ? 'cut' : 'stalled';
      ensemble.part(one, other, state);
      await delay(500 + random.below(7000));
      ensemble.heal();
      return `${one.join(', ')} | ${other.join(', ')}, ${state}`;
    },
  },
  {
    name: 'the leader alone',
    weight: 3,
    async run(ensemble, random) {
      const { id } = await ensemble.leader();
      const others = ensemble.members.map((member) => member.id).filter((other) => other !== id);
      ensemble.part([id], others, 'stalled');
      await delay(500 + random.below(7000));
      ensemble.heal();
      return `member ${id}`;
    },
  },
  {
    name: 'one-way and broken ways',
    weight: 3,
    async run(ensemble, random) {
      const count = ensemble.members.length;
      const ways: string[] = [];
      for (let n = 0; n < 4; n++) {
        const from = 1 + random.below(count);
        const to = 1 + random.below(count);
        ensemble.setWay(from, to, random.oneIn(2) ? 'cut' : 'stalled');
        ways.push(`${from}>${to}`);
      }
      await delay(500 + random.below(5000));
      ensemble.heal();
      return ways.join(' ');
    },
  },
  {
    name: 'connections cut again and again',
    weight: 2,
    async run(ensemble, random) {
      const ids = ensemble.members.map(({ id }) => id);
      for (let n = 0; n < 5; n++) {
        ensemble.part(ids, ids, 'cut');
        ensemble.heal();
        await delay(100 + random.below(400));
      }
      return '';
    },
  },
  {
    name: 'wiped member',
    weight: 2,
    async run(ensemble, random) {
      const [id = 1] = some(ensemble, random, 1);
      // What a member knows alone must not go: the others are well, and have all of it.
      await ensemble.untilServing();
      const member = ensemble.member(id);
      await member.kill();
      member.wipe();
      member.start();
      await member.untilServing();
      return `member ${id}`;
    },
  },
  {
    name: 'full disk',
    weight: 2,
    async run(ensemble, random) {
      const id = ensemble.smallDiskMember;
      if (id === null) return 'left out: this machine allows no small disk';
      const member = ensemble.member(id);
      ensemble.fillDisk();
      await delay(1000 + random.below(4000));
      const ending = member.isRunning ? 'it went on' : `it ended with ${member.ending}`;
      ensemble.freeDisk();
      if (!member.isRunning) member.start();
      return `member ${id}: ${ending}`;
    },
  },
];

/** So many different members. */
function some(ensemble: ChaosEnsemble, random: SeededRandom, count: number): number[] {
  const left = ensemble.members.map(({ id }) => id);
  return Array.from({ length: count }, () => {
    const [id = 1] = left.splice(random.below(left.length), 1);
    return id;
  });
}
