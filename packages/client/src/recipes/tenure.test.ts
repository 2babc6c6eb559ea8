import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionState } from '../states.ts';
import { ModelServer } from '../testing/model-server.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { type LostWhen, Tenure } from './tenure.ts';

const connected = { sessionId: 1n, sessionTimeoutMs: 9000, server: 'one:1', resumed: true };
const serving: ConnectionState = { ...connected, status: 'connected' };
const readOnly: ConnectionState = { ...connected, status: 'connectedReadOnly' };
const lost: ConnectionState = { status: 'disconnected', cause: new Error('reset') };

/** A tenure of a client that goes through states as the test says. */
function tenureOf(lostWhen: LostWhen, first: ConnectionState = serving) {
  const { clock } = new ModelServer();
  let tell: (state: ConnectionState) => void = () => {};
  const onState = (listener: typeof tell): (() => void) => {
    tell = listener;
    return () => {
      tell = () => {};
    };
  };
  const zk = { state: first, sessionTimeoutMs: 9000, ports: { clock }, onState };
  const tenure = new Tenure(zk as unknown as ZooKeeper, 'the lock /m', lostWhen);
  return { tenure, clock, tell: (state: ConnectionState) => tell(state) };
}

test('a read-only server is no connection', () => {
  const { tenure, tell } = tenureOf('disconnected');
  tell(readOnly);
  assert.equal(tenure.isHeld, false);
  const patient = tenureOf('expired');
  patient.tell(lost);
  patient.tell(readOnly);
  patient.clock.fireNext(patient.clock.nowMs() + 3000);
  assert.equal(patient.tenure.isHeld, false);
  assert.match((patient.tenure.lost.reason as Error).message, /3000 ms without a connection/);
});

test('a connection that comes back in time stops the clock', () => {
  const { tenure, tell, clock } = tenureOf('expired');
  tell(lost);
  tell(serving);
  assert.equal(clock.pending, 0);
  assert.equal(tenure.isHeld, true);
  tell({ status: 'expired', by: 'server' });
  assert.equal(tenure.isHeld, false);
});

test('it is lost from the start without a connection, and never after it ended', async () => {
  assert.equal(tenureOf('disconnected', lost).tenure.isHeld, false);
  const { tenure, tell, clock } = tenureOf('expired');
  tell(lost);
  tenure.end();
  await tenure.over;
  assert.equal(clock.pending, 0);
  tell({ status: 'closed' });
  tenure.lose('anything');
  assert.equal(tenure.lost.aborted, false);
});
