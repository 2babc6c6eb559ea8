import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../peers/support/until.ts';
import type { Fault } from './fault.ts';

/** Servers that should not be there. */
export const strangerFaults: readonly Fault[] = [
  {
    name: 'a second server with the id of a member',
    weight: 2,
    isPossible: ({ network }) => network.hasClientWays,
    async run(ensemble, random) {
      // The member that has the id is there: nobody could tell the two apart if it were not.
      await ensemble.untilServing();
      // Nobody tells one with the lowest id: each of the others closes its call and dials the address that it knows,
      // where the member is. So it is with Java too.
      const id = ensemble.ids[1 + random.below(ensemble.ids.length - 1)] ?? 1;
      const stranger = ensemble.strangerWithId(id);
      stranger.start();
      await until('it is told what is wrong', () => advice.exec(stranger.log)?.[0], {
        detail: () => stranger.logTail(),
      });
      await delay(random.below(4000));
      const mode = await stranger.mode();
      await stranger.kill();
      rmSync(stranger.place.directory, { recursive: true, force: true });
      if (mode !== 'none') throw new Error(`A second server ${id} serves as ${mode}`);
      return `server ${id}, which is told: ${advice.exec(stranger.log)?.[0]}`;
    },
  },
];

const advice =
  /write the same server\.N lines everywhere|give (one of them|each server|the server) [^\n"]*/;
