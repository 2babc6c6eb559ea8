import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostList } from './host-list.ts';
import type { HostPort, Random } from './ports.ts';

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

/** Servers by the letters of their names. */
const named = (names: string): HostPort[] => names.split('').map((host) => ({ host, port: 1 }));

/** A chance that is the same in every run. */
function seeded(seed: number): Random {
  let state = seed;
  const below = (bound: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
  return { below };
}

/** How many of 10,000 clients each server has after each of these lists. */
function spread(...lists: readonly string[]): Record<string, number>[] {
  const counts: Record<string, number>[] = lists.map(() => ({}));
  for (let seed = 1; seed <= 10_000; seed++) {
    let server: HostPort | null = null;
    let hosts: HostList | null = null;
    for (const [i, list] of lists.entries()) {
      hosts ??= new HostList(named(list), seeded(seed * 7919));
      if (server === null || hosts.update(named(list), server)) {
        server = hosts.next();
        hosts.succeeded();
      }
      const count = counts[i] as Record<string, number>;
      count[server.host] = (count[server.host] ?? 0) + 1;
    }
  }
  return counts;
}

for (const lists of [
  ['abc', 'abcde'],
  ['abcde', 'abc'],
  ['abc', 'cde'],
  ['abc', 'def'],
  ['abc', 'bcdefg', 'fgh', 'ab', 'abcdefgh'],
] as const) {
  test(`the load stays even from ${lists.join(' to ')}`, () => {
    for (const [i, counts] of spread(...lists).entries()) {
      const list = lists[i] ?? '';
      assert.deepEqual(Object.keys(counts).sort().join(''), list.split('').sort().join(''));
      for (const [host, count] of Object.entries(counts)) {
        const share = (count * list.length) / 10_000;
        assert.ok(Math.abs(share - 1) < 0.1, `${list}: ${host} has ${count}`);
      }
    }
  });
}

test('nobody moves when nothing was added and the own server is still there', () => {
  const hosts = new HostList(named('abc'), seeded(1));
  const server = hosts.next();
  hosts.succeeded();
  assert.equal(hosts.update(named('cba'), server), false);
  assert.equal(hosts.update([server], server), false);
  assert.deepEqual(hosts.next(), server);
});

test('a move tries every server of the new list before the rounds begin again', () => {
  const hosts = new HostList(named('abc'), seeded(2));
  const server = hosts.next();
  hosts.succeeded();
  const others = named('abcxy').filter(({ host }) => host !== server.host);
  assert.equal(hosts.update(others, server), true);
  const tried = others.map(() => hosts.next().host);
  assert.deepEqual([...tried].sort(), others.map(({ host }) => host).sort());
  assert.ok(!tried.slice(0, 2).some((host) => 'abc'.includes(host)), 'the new ones come first');
  for (const { host } of others) assert.ok(others.some((other) => other.host === host));
});

test('a client that never connected takes the new list from its beginning', () => {
  const hosts = new HostList([], seeded(3));
  assert.equal(hosts.update(named('ab'), null), false);
  assert.deepEqual([hosts.next().host, hosts.next().host].sort(), ['a', 'b']);
});
