import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLossError, NodeExistsError, SessionExpiredError } from '@meerkat/client';
import { SeededRandom } from '@meerkat/simulator';
import { TestEnsemble } from './index.ts';

/* Whatever is done to an ensemble, in whatever order: it comes back, and nothing that it acknowledged is lost. */

/** The pause between two writes, ms of the ensemble's time. */
const pauseMs = 100;

/** Creates one znode after the other until its session ends or somebody wants no more. Returns those that were acknowledged. */
async function write(ensemble: TestEnsemble, signal: AbortSignal): Promise<string[]> {
  const acknowledged: string[] = [];
  const zk = await ensemble.client();
  for (let number = 0; !signal.aborted; ) {
    await new Promise<void>((resolve) => {
      ensemble.ports.clock.startTimer(pauseMs, resolve);
    });
    try {
      acknowledged.push(await zk.create(`/n-${number}`, '', { timeoutMs: 5000, signal }));
      number++;
    } catch (error) {
      if (error instanceof SessionExpiredError) break;
      // It may have happened: the next one has a name of its own.
      if (error instanceof NodeExistsError || !(error instanceof ConnectionLossError)) number++;
    }
  }
  return acknowledged;
}

/** Does something to it. */
async function disturb(ensemble: TestEnsemble, random: SeededRandom): Promise<void> {
  const member = random.below(ensemble.members.length);
  const { state } = ensemble.members[member] ?? { state: 'killed' };
  const others = ensemble.members.filter(({ index }) => index !== member);
  const verbs: (() => unknown)[] = [
    () => ensemble.kill(member),
    () => ensemble.restart(member),
    () => ensemble.restart(member),
    () => (state === 'running' ? ensemble.pause(member) : undefined),
    () => (state === 'paused' ? ensemble.resume(member) : undefined),
    () => ensemble.partition([[member], others]),
    () => ensemble.heal(),
    () => ensemble.disconnectClients(member),
  ];
  await verbs[random.below(verbs.length)]?.();
  await ensemble.advanceTime(random.below(4000));
}

for (const [seed, members] of [1, 3, 3, 3, 5].entries()) {
  test(`an ensemble of ${members} comes back with all that it acknowledged, seed ${seed}`, async (t) => {
    const random = new SeededRandom(seed);
    const ensemble = await TestEnsemble.start({ members, seed, clock: 'manual' });
    t.after(() => ensemble.close());
    const stop = new AbortController();
    const writing = write(ensemble, stop.signal);
    for (let step = 0; step < 25; step++) await disturb(ensemble, random);
    stop.abort();
    await ensemble.advanceTime(pauseMs);
    const acknowledged = await writing;
    ensemble.heal();
    for (const { index } of ensemble.members) await ensemble.restart(index);
    await ensemble.ready();
    const zk = await ensemble.client();
    await zk.sync();
    const names = new Set(await zk.getChildren('/'));
    assert.ok(acknowledged.length > 0);
    assert.deepEqual(
      acknowledged.filter((path) => !names.has(path.slice(1))),
      [],
    );
  });
}
