// `npm run chaos`: processes of an ensemble, killed, paused, parted and starved of disk while clients work, and every
// promise checked by the checkers of the simulator. `npm run chaos -- --help`.
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ChaosEnsemble } from './chaos-ensemble.ts';
import { type ChaosReport, ChaosRun } from './chaos-run.ts';
import { checkHistory } from './check-history.ts';
import { folderPrefix, removeLeftovers } from './leftovers.ts';
import { Recorder } from './recorder.ts';

const usage = `npm run chaos [-- options]

Starts an ensemble of server processes and clients, and then, again and again: a fault (kill -9, SIGSTOP,
partitions, slow links, a wiped member, a full disk, a second server with a member's id, as far as the
machine allows), a pause, another one.
Between rounds all is healed, everybody must be served, and all members must come to the same. Every byte of every
client's connection and every transaction in the members' logs is recorded in history.jsonl; in the end the
checkers of the simulator read it.

  --minutes <n>    how long (10)
  --members <n>    servers (5)
  --clients <n>    clients (10)
  --think <ms>     the longest pause of a client between two bursts of requests (250)
  --seed <n>       which faults, when (random); processes are not replayed bit for bit
  --ports          ports of this machine in place of network namespaces
  --verbose        tell of each fault
  --keep           leave the folder with data, logs and history
  --check <folder> starts nothing: checks the history.jsonl in a folder once more
  --trace          with --check: tells what it sees

Exit status: 0 all well, 1 something was wrong: the folder is kept then, with the servers' logs, their
data and history.jsonl.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    members: { type: 'string', default: '5' },
    clients: { type: 'string', default: '10' },
    think: { type: 'string', default: '250' },
    seed: { type: 'string' },
    ports: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    check: { type: 'string' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) process.stdout.write(usage);
else if (values.check !== undefined) process.exitCode = await check(values.check);
else process.exitCode = await main();

async function check(folder: string): Promise<number> {
  const path = statSync(folder).isDirectory() ? join(folder, 'history.jsonl') : folder;
  try {
    const report = await checkHistory(path, values.trace ? console.log : undefined);
    console.log(`${path} is well: ${JSON.stringify(report)}`);
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

async function main(): Promise<number> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  for (const what of removeLeftovers())
    console.log(`removed what an earlier run has left: ${what}`);
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  const ensemble = await ChaosEnsemble.create(folder, Number(values.members), values.ports);
  const { network, disks } = ensemble;
  console.log(
    `seed ${seed}, ${values.members} members, ${values.minutes} minutes, folder ${folder}`,
  );
  console.log(`network: ${network.description}; slow links: ${network.slowness ?? 'none'}`);
  console.log(
    `disks: ${disks.size > 0 ? 'one for each member, which can be full' : 'that of this machine'}`,
  );
  const recorder = new Recorder(join(folder, 'history.jsonl'));
  const minutes = Number(values.minutes);
  let isWell = false;
  try {
    const [clients, thinkMs] = [Number(values.clients), Number(values.think)];
    const options = { recorder, seed, clients, thinkMs, isVerbose: values.verbose };
    const report = await new ChaosRun(ensemble, options).run(minutes * 60_000);
    recorder.close();
    console.log(summary(seed, report, await checkHistory(join(folder, 'history.jsonl'))));
    isWell = true;
  } catch (error) {
    recorder.close();
    console.error(error instanceof Error ? error.message : error);
    console.error(`Something is wrong. Look at ${folder}; again: npm run chaos -- --seed ${seed}`);
    ensemble.keepDisks();
  }
  if (!isWell || values.keep) {
    for (const member of ensemble.members) {
      appendFileSync(join(folder, `${member.id}.log`), member.log);
    }
  }
  await ensemble.end();
  if (isWell && !values.keep) rmSync(folder, { recursive: true, force: true });
  return isWell ? 0 : 1;
}

function summary(
  seed: number,
  { faults, operations, unknown, rounds, healedMsMax }: ChaosReport,
  checked: Awaited<ReturnType<typeof checkHistory>>,
): string {
  const { transactions, replies, events, sessions, connections, epochs } = checked;
  const counts = [...faults]
    .map(([name, count]) => `${count} ${name}`)
    .sort()
    .join(', ');
  return [
    `all is well with seed ${seed}: ${rounds} rounds, ${operations} operations (${unknown} without an answer)`,
    `${replies} answers, ${events} events and ${transactions} transactions checked, ${sessions} sessions`,
    `${connections} connections, ${epochs} epochs, healed within ${(healedMsMax / 1000).toFixed(1)} s`,
    `faults: ${counts}`,
  ].join(', ');
}
