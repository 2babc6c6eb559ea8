import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect } from '@meerkat/client';
import { ServiceProvider, uriOf } from '@meerkat/client/recipes';
import { expect, withZooKeeper } from '../support/zookeeper.ts';

/* Three providers, each a process; a consumer that shares its calls out among them; one provider is killed. */

const callsEach = 30;

await withZooKeeper(async (connectString, root) => {
  const basePath = `${root}/services`;
  const ids = ['ada', 'bob', 'cem'];
  const providers = new Map<string, ChildProcess>();
  try {
    for (const id of ids) {
      const program = fileURLToPath(new URL('provider.js', import.meta.url));
      providers.set(id, fork(program, [connectString, basePath, id]));
    }
    await Promise.all([...providers.values()].map((child) => once(child, 'message')));

    await using zk = await connect(connectString);
    await using greeter = await ServiceProvider.start(zk, basePath, 'greeter');
    await untilKnown(greeter, ids.length);

    const answers = new Map<string, number>();
    let attempts = 0;
    const call = async (): Promise<void> => {
      const text = await greeter.use(
        async (instance) => {
          attempts++;
          const response = await fetch(uriOf(instance));
          return await response.text();
        },
        { attemptsMax: ids.length },
      );
      const by = text.trim().replace('hello from ', '');
      answers.set(by, (answers.get(by) ?? 0) + 1);
    };

    for (let count = 0; count < callsEach; count++) await call();
    console.log('three providers:', Object.fromEntries(answers));
    expect(answers.size === 3, 'the calls are shared out among three');

    const victim = providers.get('bob');
    victim?.kill('SIGKILL');
    if (victim !== undefined) await once(victim, 'exit');
    console.log('bob is killed; ZooKeeper will know when the session expires');
    answers.clear();
    attempts = 0;
    for (let count = 0; count < callsEach; count++) await call();
    console.log('two providers:', Object.fromEntries(answers));
    console.log(
      `${callsEach} calls answered in ${attempts} attempts: bob failed, and was left out`,
    );
    expect(answers.size === 2 && !answers.has('bob'), 'the calls go to those that are left');

    await untilKnown(greeter, ids.length - 1);
    console.log('the session of bob has expired: ZooKeeper knows two instances');
  } finally {
    for (const child of providers.values()) child.kill('SIGKILL');
  }
});

/** Waits until a provider knows so many instances. */
async function untilKnown(provider: ServiceProvider, count: number): Promise<void> {
  for await (const instances of provider.cache.changes()) if (instances.length === count) return;
}
