import assert from 'node:assert/strict';
import test from 'node:test';
import { parseQuorumConfig } from '../quorum/quorum-config.ts';
import { quorumVerifierOf } from '../quorum/quorum-verifier.ts';
import { EpochAgreement } from './epoch-agreement.ts';

const text = [1, 2, 3, 4, 5].map((id) => `server.${id}=host${id}:2888:3888`).join('\n');
const begin = (): EpochAgreement =>
  new EpochAgreement(quorumVerifierOf(parseQuorumConfig(text)), 3);

test('the epoch is one more than the last that anybody of a quorum has promised', () => {
  const agreement = begin();
  agreement.offer(3, 4, true);
  agreement.offer(1, 7, true);
  assert.equal(agreement.isAgreed, false);
  agreement.offer(2, 0, true);
  assert.equal(agreement.isAgreed, true);
  assert.equal(agreement.epoch, 8);
});

test('who comes when the epoch is settled does not change it', () => {
  const agreement = begin();
  for (const sid of [3, 1, 2]) agreement.offer(sid, 4, true);
  agreement.offer(5, 90, true);
  assert.equal(agreement.epoch, 5);
});

test('a server that does not vote has no say', () => {
  const agreement = begin();
  agreement.offer(3, 4, true);
  for (const sid of [6, 7, 8]) agreement.offer(sid, 99, false);
  assert.equal(agreement.isAgreed, false);
  assert.equal(agreement.epoch, 5);
});

test('nothing is agreed on without the leader itself', () => {
  const agreement = begin();
  for (const sid of [1, 2, 4, 5]) agreement.offer(sid, 4, true);
  assert.equal(agreement.isAgreed, false);
  for (const sid of [1, 2, 4, 5]) agreement.promise(sid);
  assert.equal(agreement.isPromised, false);
  agreement.offer(3, 1, true);
  agreement.promise(3);
  assert.ok(agreement.isAgreed && agreement.isPromised);
});

test('the same server twice is one server', () => {
  const agreement = begin();
  agreement.offer(3, 1, true);
  for (let i = 0; i < 5; i++) agreement.offer(1, i, true);
  assert.equal(agreement.isAgreed, false);
  agreement.promise(3);
  for (let i = 0; i < 5; i++) agreement.promise(1);
  assert.equal(agreement.isPromised, false);
});
