import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostList } from './host-list.ts';

const servers = ['a', 'b', 'c'].map((host) => ({ host, port: 1 }));

test('hosts are shuffled once, then tried in turn', () => {
  const hosts = new HostList(servers, { below: () => 0 });
  const first = [hosts.next(), hosts.next(), hosts.next()].map((server) => server.host);
  assert.deepEqual(first, ['b', 'c', 'a']);
  assert.equal(hosts.next().host, 'b');
});

test('a round is over when every host has failed since the last success', () => {
  const hosts = new HostList(servers, { below: (bound) => bound - 1 });
  assert.deepEqual(
    [hosts.failed(), hosts.failed(), hosts.failed(), hosts.failed()],
    [false, false, true, false],
  );
  hosts.succeeded();
  assert.deepEqual([hosts.failed(), hosts.failed(), hosts.failed()], [false, false, true]);
});
