import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../election/testing/fake-clock.ts';
import { defaultEnsembleConfig } from '../ensemble-config.ts';
import { parseQuorumConfig } from '../quorum/quorum-config.ts';
import { quorumVerifierOf } from '../quorum/quorum-verifier.ts';
import { QuorumView } from '../quorum/quorum-view.ts';
import { LeaderDial } from './leader-dial.ts';
import type { MemberContext } from './member-context.ts';

const members = 'server.1=a:2888:3888\nserver.2=b:2888:3888|c:2999:3999';

/** A dial of a leader, and what it asks of the network. */
class World {
  readonly clock = new FakeClock();
  readonly dialled: string[] = [];
  readonly destroyed: number[] = [];
  readonly unreachable: string[] = [];
  readonly dial: LeaderDial;

  constructor(leader: number, options: { connectLimitTicks?: number; port?: number } = {}) {
    const { connectLimitTicks = 0, port = null } = options;
    const peers = {
      dial: ({ host, port: to }: { host: string; port: number }, timeoutMs: number): number => {
        this.dialled.push(`${host}:${to} ${timeoutMs}`);
        return this.dialled.length;
      },
      destroy: (stream: number) => this.destroyed.push(stream),
    };
    const context = {
      clock: this.clock,
      config: { tickTimeMs: 2000 },
      ensemble: { ...defaultEnsembleConfig, connectLimitTicks },
      view: new QuorumView(quorumVerifierOf(parseQuorumConfig(members))),
      peers,
    } as unknown as MemberContext;
    this.dial = new LeaderDial(context, leader, port, {
      onPeerOpened: () => {},
      onPeerBytes: () => {},
      onPeerDrained: () => {},
      onPeerClosed: () => {},
      onUnreachable: (reason) => this.unreachable.push(reason),
    });
    this.dial.start();
  }
}

test('all addresses of a leader are dialled at once, and the first to answer is used', () => {
  const world = new World(2);
  assert.deepEqual(world.dialled, ['b:2888 20000', 'c:2999 20000']);
  assert.equal(world.dial.onOpened(2), true);
  assert.deepEqual(world.destroyed, [1]);
  assert.equal(world.dial.onOpened(1), false);
  world.dial.onClosed(1, 'closed');
  world.clock.advance(60_000);
  assert.equal(world.dialled.length, 2);
  assert.deepEqual(world.unreachable, []);
});

test('a dial is repeated when all addresses have failed, five times in all', () => {
  const world = new World(2);
  world.dial.onClosed(1, 'connection refused');
  world.clock.advance(1000);
  assert.equal(world.dialled.length, 2);
  for (let stream = 2; world.unreachable.length === 0; stream++) {
    world.dial.onClosed(stream, 'connection refused');
    world.clock.advance(100);
  }
  assert.equal(world.dialled.length, 10);
  assert.deepEqual(world.unreachable, ['connection refused']);
});

test('the pause between two dials is leaderConnectDelayDuringRetryMs', () => {
  const world = new World(1);
  world.dial.onClosed(1, 'connection refused');
  assert.equal(world.clock.nextTimerMs, 100);
  world.clock.advance(99);
  assert.equal(world.dialled.length, 1);
  world.clock.advance(1);
  assert.equal(world.dialled.length, 2);
});

test('all dials together take no longer than connectToLearnerMasterLimit', () => {
  const world = new World(1, { connectLimitTicks: 2 });
  assert.deepEqual(world.dialled, ['a:2888 4000']);
  world.clock.advance(3800);
  world.dial.onClosed(1, 'timed out');
  world.clock.advance(100);
  assert.deepEqual(world.dialled.at(-1), 'a:2888 100');
  world.clock.advance(50);
  world.dial.onClosed(2, 'timed out');
  assert.deepEqual(world.unreachable, ['timed out']);
  assert.equal(world.clock.nextTimerMs, null);
});

test('a leader that is not in the configuration is not looked for', () => {
  assert.deepEqual(new World(9).unreachable, ['it is not in the configuration']);
});

test('after stop nothing is dialled, and what opens is closed', () => {
  const world = new World(2);
  world.dial.onClosed(1, 'connection refused');
  world.dial.stop();
  assert.deepEqual(world.destroyed, [2]);
  assert.equal(world.dial.onOpened(2), false);
  world.dial.onClosed(2, 'closed');
  assert.equal(world.clock.nextTimerMs, null);
  assert.deepEqual(world.unreachable, []);
});
