import assert from 'node:assert/strict';
import test from 'node:test';
import { parseMember, QuorumConfigError } from './member.ts';
import { formatQuorumConfig, isSameQuorumConfig, parseQuorumConfig } from './quorum-config.ts';

test('a configuration is read and printed as Java prints it', () => {
  const text = [
    'version=10000000a',
    'server.2=[::1]:2888:3888:observer;[2001:db8::2]:2181',
    'server.1=zoo1:2888:3888;2181',
    'server.17=10.1:2888:3888|zoo17:2889:3889',
  ].join('\n');
  const printed = [
    'server.1=zoo1:2888:3888:participant;0.0.0.0:2181',
    'server.17=10.0.0.1:2888:3888|zoo17:2889:3889:participant',
    'server.2=[0:0:0:0:0:0:0:1]:2888:3888:observer;[2001:db8:0:0:0:0:0:2]:2181',
    'version=10000000a',
  ].join('\n');
  assert.equal(formatQuorumConfig(parseQuorumConfig(text)), printed);
  assert.equal(formatQuorumConfig(parseQuorumConfig(printed)), printed);
});

test('groups and weights are printed behind the members, a missing weight is 1', () => {
  const text = 'server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\ngroup.7=3:1\ngroup.5=2\nweight.2=0';
  assert.equal(
    formatQuorumConfig(parseQuorumConfig(text)),
    [
      'server.1=a:1:2:participant',
      'server.2=b:1:2:participant',
      'server.3=c:1:2:participant',
      'group.5=2',
      'group.7=1:3',
      'weight.1=1',
      'weight.2=0',
      'weight.3=1',
      'version=0',
    ].join('\n'),
  );
});

test('a text that is no configuration says what to write instead', () => {
  const refused: readonly [string, RegExp][] = [
    ['server.1=a:1', /write server\.1=host:2888:3888/],
    ['server.1=a:1:2:3:4', /write server\.1=host:2888:3888/],
    ['server.1=:1:2', /write server\.1=host:2888:3888/],
    ['server.1=a:1:66000', /Cannot read the port 66000 of server\.1/],
    ['server.1=a:1:1', /give quorum and election a port each/],
    ['server.1=a:1:2:king', /write participant or observer/],
    ['server.1=a:1:2:observer|b:1:2:participant', /Cannot give server\.1 two roles/],
    ['server.1=a:1:2;x:y', /Cannot read the client address of server\.1/],
    ['server.x=a:1:2', /Cannot read a number of server\.x/],
    ['server.1=a:1:2\ngroup.1=1\ngroup.2=1', /it is in another group too/],
    ['server.1=a:1:2\nweight.1=1', /it is in no group/],
    ['server.1=a:1:2\ngroup.1=1:2', /server 2 is no voter and has no weight/],
    ['server.1=a:1:2\ntickTime=2000', /Cannot take the key tickTime/],
    ['server.1=a:1:2\nversion=fffffffffffffff', /Cannot read the version/],
    ['server.1=\\u12', /four hex digits/],
  ];
  for (const [text, message] of refused) {
    assert.throws(() => parseQuorumConfig(text), { name: 'QuorumConfigError', message }, text);
  }
  assert.throws(() => parseMember(1, ''), QuorumConfigError);
});

test('configurations are one by their version, or by all that they say', () => {
  const config = (text: string) => parseQuorumConfig(text);
  const a = config('server.1=a:1:2\nserver.2=b:1:2\nversion=1');
  assert.ok(isSameQuorumConfig(a, config('server.1=other:1:2\nversion=1')));
  assert.ok(isSameQuorumConfig(a, config('server.1=a:1:2\nserver.2=b:1:2\nversion=2')));
  assert.ok(!isSameQuorumConfig(a, config('server.1=a:1:2\nserver.2=b:1:3\nversion=2')));
  assert.ok(!isSameQuorumConfig(a, config('server.1=a:1:2\nversion=2')));
  const hierarchical = 'server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1:2\nversion=';
  assert.ok(!isSameQuorumConfig(a, config(`${hierarchical}1`)));
  assert.ok(
    !isSameQuorumConfig(config(`${hierarchical}1`), config(`${hierarchical}2\nweight.1=0`)),
  );
});
