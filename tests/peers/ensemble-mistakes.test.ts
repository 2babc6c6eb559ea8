import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ProgramResult, runProgram } from './support/child-processes.ts';
import type { EnsembleMember } from './support/ensemble-member.ts';
import { Ensemble } from './support/ensemble-of.ts';
import { Load } from './support/load-client.ts';
import { meerkatPath, temporaryDirectory } from './support/paths.ts';
import { quietPort } from './support/quiet-port.ts';

/*
 * What people do wrong when they set up a machine, with processes: whoever comes second is told what to change and
 * ends, and those who serve go on.
 */
test('a server that is given the place of another one ends, and says what to change', async (t) => {
  const ensemble = await Ensemble.of(t, { voters: ['meerkat', 'meerkat', 'meerkat'] });
  await ensemble.start(3);
  const load = await Load.begin(ensemble.connectString, 2, 10_000);
  load.run();
  const second = ensemble.member(2);

  await t.test('its own directory, and the myid of a member that runs', async () => {
    const { code, stdout } = await startBeside(second, temporaryDirectory('twin'), '2');
    assert.equal(code, 14, stdout);
    assert.match(stdout, /EADDRINUSE; another program has the port: stop it, or change the port/);
  });

  await t.test('the data directory of a member that runs', async () => {
    const { code, stderr } = await startBeside(second, second.dataDirectory, null);
    assert.equal(code, 3, stderr);
    assert.match(
      stderr,
      new RegExp(
        `Cannot use the data directory .*: the server with process id ${second.pid} uses it; stop that one, or give this one another dataDir`,
      ),
    );
  });

  await t.test('a myid that no line has', async () => {
    const { code, stderr } = await startBeside(second, temporaryDirectory('nobody'), '7');
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /myid: Cannot find this server among the members: current value is 7, there/,
    );
  });

  await t.test(
    'a member that comes back with the id of another, and then with its own',
    async () => {
      const third = ensemble.member(3);
      await third.stop();
      writeFileSync(join(third.dataDirectory, 'myid'), '2\n');
      third.start();
      await third.ended();
      assert.equal(third.ending, 14, third.logTail());
      writeFileSync(join(third.dataDirectory, 'myid'), '3\n');
      third.start();
      await third.untilServing();
    },
  );

  await load.untilProgress();
  await load.pauseAndCheck(ensemble.connectString);
  await load.close();
});

/** Starts a server with the lines of a member, another client port and this directory, and waits for its end. */
async function startBeside(
  member: EnsembleMember,
  dataDirectory: string,
  myId: string | null,
): Promise<ProgramResult> {
  const folder = temporaryDirectory('mistake');
  mkdirSync(dataDirectory, { recursive: true });
  if (myId !== null) writeFileSync(join(dataDirectory, 'myid'), `${myId}\n`);
  const config = readFileSync(join(member.place.directory, 'zoo.cfg'), 'utf8')
    .replace(/^dataDir=.*$/m, `dataDir=${dataDirectory}`)
    .replace(/^clientPort=.*$/m, `clientPort=${await quietPort()}`);
  const path = join(folder, 'zoo.cfg');
  writeFileSync(path, config);
  return runProgram(process.execPath, [meerkatPath, 'server', path]);
}
