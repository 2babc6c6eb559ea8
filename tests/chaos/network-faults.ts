import { setTimeout as delay } from 'node:timers/promises';
import { type Fault, some } from './fault.ts';

/** What can happen to the network between members, and between them and their clients. */
export const networkFaults: readonly Fault[] = [
  {
    name: 'partition',
    weight: 5,
    async run(ensemble, random) {
      const one = some(ensemble, random, 1 + random.below(2));
      const other = ensemble.ids.filter((id) => !one.includes(id));
      const state = random.oneIn(3) ? 'cut' : 'stalled';
      ensemble.part(one, other, state);
      await delay(500 + random.below(7000));
      ensemble.heal();
      return `${one.join(', ')} | ${other.join(', ')}, ${state}`;
    },
  },
  {
    name: 'the leader alone with its clients',
    weight: 3,
    async run(ensemble, random) {
      const { id } = await ensemble.leader();
      ensemble.part([id], ensemble.ids, 'stalled');
      await delay(500 + random.below(7000));
      ensemble.heal();
      return `member ${id}`;
    },
  },
  {
    name: 'bridge',
    weight: 3,
    async run(ensemble, random) {
      // Two halves that hear nothing of each other, and one member that hears both.
      const [bridge = 1, ...rest] = some(ensemble, random, ensemble.ids.length);
      const half = rest.length >> 1;
      ensemble.part(rest.slice(0, half), rest.slice(half), 'stalled');
      await delay(500 + random.below(7000));
      ensemble.heal();
      return `${rest.slice(0, half).join(', ')} | ${bridge} | ${rest.slice(half).join(', ')}`;
    },
  },
  {
    name: 'one-way',
    weight: 4,
    async run(ensemble, random) {
      const count = ensemble.ids.length;
      const ways = Array.from({ length: 4 }, () => {
        return [1 + random.below(count), 1 + random.below(count)] as const;
      });
      const state = random.oneIn(3) ? 'cut' : 'stalled';
      ensemble.network.setWays(ways, state);
      await delay(500 + random.below(5000));
      ensemble.heal();
      return `${ways.map(([from, to]) => `${from}>${to}`).join(' ')}, ${state}`;
    },
  },
  {
    name: 'connections cut again and again',
    weight: 2,
    async run(ensemble, random) {
      for (let n = 0; n < 5; n++) {
        ensemble.part(ensemble.ids, ensemble.ids, 'cut');
        ensemble.heal();
        await delay(100 + random.below(400));
      }
      return '';
    },
  },
  {
    name: 'slow links',
    weight: 3,
    isPossible: ({ network }) => network.slowness !== null,
    async run(ensemble, random) {
      const ids = some(ensemble, random, 1 + random.below(3));
      for (const id of ids) ensemble.network.slow(id);
      await delay(1000 + random.below(7000));
      ensemble.heal();
      return `members ${ids.join(', ')}: ${ensemble.network.slowness}`;
    },
  },
  {
    name: 'clients cut off',
    weight: 3,
    isPossible: ({ network }) => network.hasClientWays,
    async run(ensemble, random) {
      const ids = some(ensemble, random, 1 + random.below(ensemble.ids.length));
      const state = random.oneIn(2) ? 'cut' : 'stalled';
      ensemble.partClients(ids, state);
      await delay(300 + random.below(6000));
      ensemble.heal();
      return `from members ${ids.join(', ')}, ${state}`;
    },
  },
];
