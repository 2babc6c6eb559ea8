/** What tests of hostile members share: an ensemble that serves, a peer that follows, and how it is turned away. */
import assert from 'node:assert/strict';
import {
  ackEpoch,
  HostileEnsemble,
  type HostilePeer,
  hello,
  packet,
  zxidOf,
} from './hostile-ensemble.ts';

/** Three members, of which 3 leads; 1 or 2 may be replaced by a peer that says what it likes. */
export function ensembleOf(real: readonly number[] = [1, 2, 3]): HostileEnsemble {
  const ensemble = new HostileEnsemble({ real }).untilServing(real.length);
  assert.equal(ensemble.leader.id, 3);
  ensemble.takeLines();
  ensemble.roles.length = 0;
  return ensemble;
}

/** A peer that has come as far as serving, as member 1. */
export function servingAs1(ensemble: HostileEnsemble, host = 'host1'): HostilePeer {
  const peer = ensemble.peer(host);
  peer.dial('host3', hello(1), ackEpoch(0, 0), packet(ackType, zxidOf(1, 0)));
  assert.equal(peer.isClosed, false, ensemble.lines.join('\n'));
  ensemble.takeLines();
  return peer;
}

/** A leader, or a follower with observers, has closed the stream with one line, and nobody else has noticed anything. */
export function assertTurnedAway(ensemble: HostileEnsemble, peer: HostilePeer, why: RegExp): void {
  assert.equal(peer.isClosed, true, `not closed: ${why}`);
  const lines = ensemble.takeLines();
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0] ?? '', why);
  ensemble.write('still');
  ensemble.ticks(12);
  assert.deepEqual(ensemble.takeLines(), []);
  assert.deepEqual(ensemble.roles, []);
  assert.deepEqual(ensemble.ended, []);
}

const ackType = 3;
