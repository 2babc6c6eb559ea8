import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, errorName, type ReconfigRequest } from '@meerkat/protocol';
import { formatQuorumConfig, parseQuorumConfig, type QuorumConfig } from './quorum-config.ts';
import { quorumVerifierOf } from './quorum-verifier.ts';
import {
  designatedLeader,
  hasConnectedQuorum,
  isReconfigRefusal,
  type LeaderChoice,
  type ReconfigOptions,
  reconfigured,
  withVersion,
} from './reconfigure.ts';

const three = parseQuorumConfig(
  'server.1=a:1:2;2181\nserver.2=b:1:2;2181\nserver.3=c:1:2;2181\nversion=5',
);
const standard: ReconfigOptions = { standaloneEnabled: true, multiAddressEnabled: false };
const distributed: ReconfigOptions = { ...standard, standaloneEnabled: false };

function outcomeOf(
  request: Partial<ReconfigRequest>,
  options = standard,
  lastSeen: QuorumConfig = three,
): string {
  const whole = { joiningServers: null, leavingServers: null, newMembers: null, curConfigId: -1 };
  const outcome = reconfigured(lastSeen, { ...whole, ...request }, options);
  if (isReconfigRefusal(outcome)) {
    assert.match(outcome.reason, /^Cannot /);
    return errorName(outcome.code);
  }
  return formatQuorumConfig(outcome);
}

test('members leave and join, others stay; the version is the caller’s to set (ZB 8.5)', () => {
  assert.equal(
    outcomeOf({ joiningServers: ' server.4 = d:1:2:observer;2181 ,', leavingServers: '3, 7,' }),
    'server.1=a:1:2:participant;0.0.0.0:2181\nserver.2=b:1:2:participant;0.0.0.0:2181\n' +
      'server.4=d:1:2:observer;0.0.0.0:2181\nversion=5',
  );
  assert.equal(
    outcomeOf({ joiningServers: 'server.2=x:1:2:observer;2182' }),
    'server.1=a:1:2:participant;0.0.0.0:2181\nserver.2=x:1:2:observer;0.0.0.0:2182\n' +
      'server.3=c:1:2:participant;0.0.0.0:2181\nversion=5',
  );
  // Who leaves and joins in one request joins; the name before the number does not count.
  assert.match(outcomeOf({ joiningServers: '3=x:1:2;2181', leavingServers: '3' }), /server\.3=x:/);
  assert.equal(outcomeOf({}), formatQuorumConfig(three));
  assert.equal(outcomeOf({ joiningServers: '', leavingServers: ' , ' }), formatQuorumConfig(three));
  assert.match(outcomeOf({ joiningServers: 'server.4=d:1:2;;2281' }), /server\.4=d:1:2:/);
  assert.equal(withVersion(three, 9).version, 9);
});

test('a whole configuration comes with new lines or commas, and may have groups', () => {
  const text = 'server.1=a:1:2,server.2=b:1:2\nserver.3=c:1:2,group.1=1:2:3,version=77';
  assert.equal(
    outcomeOf({ newMembers: text, joiningServers: 'nonsense' }),
    'server.1=a:1:2:participant\nserver.2=b:1:2:participant\nserver.3=c:1:2:participant\n' +
      'group.1=1:2:3\nweight.1=1\nweight.2=1\nweight.3=1\nversion=5',
  );
});

test('a request for another version is refused before anything else', () => {
  assert.equal(outcomeOf({ curConfigId: 4, joiningServers: 'nonsense' }), 'BADVERSION');
  assert.equal(outcomeOf({ curConfigId: 5, joiningServers: 'nonsense' }), 'BADARGUMENTS');
  assert.equal(outcomeOf({ curConfigId: 5 }), formatQuorumConfig(three));
});

test('what does not do is refused with Java’s code', () => {
  const joining: [string, string][] = [
    ['server.4', 'BADARGUMENTS'],
    ['server.4=', 'BADARGUMENTS'],
    ['server.4=d:1:2;2181=x', 'BADARGUMENTS'],
    ['server.4=d:1:2', 'BADARGUMENTS'],
    ['server.4=d:1;2181', 'BADARGUMENTS'],
    ['server.4=d:1:1;2181', 'BADARGUMENTS'],
    ['server.4=d:1:2:leader;2181', 'BADARGUMENTS'],
    ['server.4=d:1:2|e:1:2;2181', 'BADARGUMENTS'],
    ['server.-4=d:1:2;2181', 'BADARGUMENTS'],
    ['server.x=d:1:2;2181', 'MARSHALLINGERROR'],
    ['server.=d:1:2;2181', 'MARSHALLINGERROR'],
  ];
  for (const [text, code] of joining) assert.equal(outcomeOf({ joiningServers: text }), code, text);
  assert.equal(outcomeOf({ leavingServers: 'server.3' }), 'MARSHALLINGERROR');
  const whole: [string, string, ReconfigOptions][] = [
    ['server.1=a:1:2,server.2=b:1:2,clientPort=2181', 'BADARGUMENTS', standard],
    ['server.1=a:1:2,server.2=b:1:2,group.1=1', 'BADARGUMENTS', standard],
    ['server.1=a:1:2|b:1:2,server.2=b:1:2', 'BADARGUMENTS', standard],
    ['server.1=a:1:2', 'BADARGUMENTS', standard],
    ['', 'BADARGUMENTS', standard],
    ['', 'MARSHALLINGERROR', distributed],
    ['server.1=a:1:2:observer', 'MARSHALLINGERROR', standard],
    ['server.1=a:1:2,server.2=b:1:2:observer', 'MARSHALLINGERROR', standard],
  ];
  for (const [text, code, options] of whole) {
    assert.equal(outcomeOf({ newMembers: text }, options), code, text);
  }
  const several = { ...standard, multiAddressEnabled: true };
  assert.match(outcomeOf({ joiningServers: 'server.4=d:1:2|e:1:2;2181' }, several), /d:1:2\|e:1:2/);
});

test('two voters are left, or one where no server is alone', () => {
  assert.equal(outcomeOf({ leavingServers: '1,2' }), 'BADARGUMENTS');
  assert.match(outcomeOf({ leavingServers: '1,2' }, distributed), /^server\.3=\S+\nversion=5$/);
  assert.equal(outcomeOf({ leavingServers: '1,2,3' }, distributed), 'BADARGUMENTS');
  const observer = 'server.1=a:1:2:observer;2181,server.2=b:1:2:observer;2181';
  assert.equal(outcomeOf({ joiningServers: observer }), 'BADARGUMENTS');
});

test('groups are changed as a whole only', () => {
  const grouped = parseQuorumConfig(
    'server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\ngroup.1=1:2:3\nversion=5',
  );
  assert.equal(outcomeOf({ leavingServers: '3' }, standard, grouped), 'BADARGUMENTS');
  assert.equal(outcomeOf({ leavingServers: 'x' }, standard, grouped), 'BADARGUMENTS');
  assert.match(
    outcomeOf({ newMembers: 'server.1=a:1:2,server.2=b:1:2' }, standard, grouped),
    /^server\.1=.*\nserver\.2=.*\nversion=5$/,
  );
});

test('an address belongs to one member, but for those that every machine has (ZB 8.5)', () => {
  const members = parseQuorumConfig(
    'server.1=10.0.0.1:1:2;10.0.0.1:2181\nserver.2=b:1:2;2181\nserver.3=localhost:1:2;2181\n' +
      'server.4=127.0.0.1:1:2;2181\nserver.5=[::1]:1:2;2181',
  );
  const cases: [string, boolean][] = [
    ['server.6=10.0.0.1:1:3;2182', true],
    ['server.6=10.0.0.1:3:2;2182', true],
    ['server.6=10.0.0.1:2:3;2182', true],
    ['server.6=10.0.0.1:3:4;10.0.0.1:2181', true],
    ['server.6=10.0.0.1:3:4;2182;10.0.0.1:2181', true],
    ['server.6=10.0.0.1:3:2181;2182', true],
    ['server.6=b:1:3;2182', true],
    ['server.6=b:4:3;2181', false],
    ['server.6=localhost:1:2;2181', false],
    ['server.6=127.0.0.1:1:2;2181', false],
    ['server.6=[::1]:1:2;2181', false],
    ['server.1=10.0.0.1:1:2;10.0.0.1:2181', false],
    ['server.6=d:1:2;2181,server.7=d:1:3;2182', true],
    ['server.1=x:1:2;2181,server.7=10.0.0.1:1:3;2182', false],
  ];
  for (const [joiningServers, collides] of cases) {
    const outcome = outcomeOf({ joiningServers }, standard, members);
    assert.equal(outcome === errorName(ErrorCode.badArguments), collides, joiningServers);
  }
  // Who leaves has left its address.
  const moved = { joiningServers: 'server.6=10.0.0.1:1:2;2181', leavingServers: '1' };
  assert.match(outcomeOf(moved, standard, members), /server\.6=10\.0\.0\.1/);
});

test('a new configuration needs a quorum that is connected (Leader.isQuorumSynced)', () => {
  const verifier = quorumVerifierOf(three);
  assert.equal(hasConnectedQuorum(verifier, 1, []), false);
  assert.equal(hasConnectedQuorum(verifier, 1, [1, 4, 5]), false);
  assert.equal(hasConnectedQuorum(verifier, 1, [3]), true);
  assert.equal(hasConnectedQuorum(verifier, 4, [3]), false);
  assert.equal(hasConnectedQuorum(verifier, 4, [3, 2, 9]), true);
});

test('the leader stays if it votes at the same address, else who has acknowledged the most leads', () => {
  const leaderAddresses = three.members.get(3)?.addresses ?? [];
  const choice: LeaderChoice = {
    leaderId: 3,
    leaderAddresses,
    oldConfig: three,
    newConfig: three,
    acks: new Set([1, 2, 3]),
    laterAcks: [],
  };
  const config = (text: string): QuorumConfig => parseQuorumConfig(text.replaceAll(' ', '\n'));
  assert.equal(designatedLeader(choice), 3);
  const away = config('server.1=a:1:2;2181 server.2=b:1:2;2181');
  const others: [QuorumConfig, number][] = [
    [config('server.1=a:1:2 server.2=b:1:2 server.3=c:1:9;2199'), 3],
    [config('server.1=a:1:2 server.2=b:1:2 server.3=c:9:2;2181'), 1],
    [config('server.1=a:1:2 server.2=b:1:2 server.3=c:1:2:observer'), 1],
    [config('server.1=a:1:2:observer server.2=b:1:2 server.4=d:1:2'), 2],
    [away, 1],
  ];
  for (const [newConfig, leader] of others) {
    assert.equal(designatedLeader({ ...choice, newConfig }), leader);
  }
  const later: [number[][], number][] = [
    [[[1, 2], [2]], 2],
    [[[1, 2], [3]], 1],
    [[[2, 3], [1]], 2],
    [[[], [2]], 1],
  ];
  for (const [acks, leader] of later) {
    const laterAcks = acks.map((ids) => new Set(ids));
    assert.equal(designatedLeader({ ...choice, newConfig: away, laterAcks }), leader);
  }
  // Nobody else votes: Java has no answer.
  const alone = config('server.3=c:9:2;2181');
  assert.equal(designatedLeader({ ...choice, newConfig: alone, acks: new Set([3]) }), 3);
});
