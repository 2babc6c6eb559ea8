// `npm run chaos`: processes of an ensemble, killed, paused, parted and starved of disk while clients work, and every
// promise checked. `npm run chaos -- --help`.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ChaosEnsemble } from './chaos-ensemble.ts';
import { ChaosRun } from './chaos-run.ts';

const usage = `npm run chaos [-- options]

Starts an ensemble of server processes and clients, and then, again and again: a fault (kill -9, SIGSTOP,
partitions, a wiped member, a full disk where the machine allows one), a pause, another one. Between
rounds all is healed, and checked: every acknowledged write is there, on all members alike; every
read was current after sync and never went back; sessions, ephemerals and watches are kept.

  --minutes <n>    how long (10)
  --members <n>    servers (5)
  --writers <n>    clients that write (8)
  --readers <n>    clients that read (4)
  --seed <n>       which faults, when (random); processes are not replayed bit for bit
  --keep           leave the folder with data and logs

Exit status: 0 all well, 1 something was wrong: the folder is kept then, with the servers' logs and
history.jsonl, which says what was done when.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    members: { type: 'string', default: '5' },
    writers: { type: 'string', default: '8' },
    readers: { type: 'string', default: '4' },
    seed: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) process.stdout.write(usage);
else process.exitCode = await main();

async function main(): Promise<number> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const folder = mkdtempSync(join(tmpdir(), 'meerkat-chaos-'));
  console.log(
    `seed ${seed}, ${values.members} members, ${values.minutes} minutes, folder ${folder}`,
  );
  const ensemble = await ChaosEnsemble.create(folder, Number(values.members));
  let isWell = false;
  try {
    await new ChaosRun(ensemble, {
      history: join(folder, 'history.jsonl'),
      seed,
      writers: Number(values.writers),
      readers: Number(values.readers),
    }).run(Number(values.minutes) * 60_000);
    isWell = true;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(`Something is wrong. Look at ${folder}; again: npm run chaos -- --seed ${seed}`);
    for (const member of ensemble.members) {
      appendFileSync(join(folder, `${member.id}.log`), member.log);
    }
  }
  await ensemble.end();
  if (isWell && !values.keep) rmSync(folder, { recursive: true, force: true });
  return isWell ? 0 : 1;
}
