import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcome } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import {
  leastLoaded,
  type ProviderStrategy,
  randomInstance,
  roundRobin,
  sticky,
  weightedRandom,
} from './provider-strategies.ts';
import { ServiceCache, serviceNames } from './service-cache.ts';
import {
  decodeInstance,
  encodeInstance,
  instanceOf,
  type ServiceInstance,
  uriOf,
} from './service-instance.ts';
import { ServiceProvider } from './service-provider.ts';
import { ServiceRegistration } from './service-registration.ts';

const known = { id: 'made-up', registrationTimeMs: 5 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('an instance is the JSON of Curator, member by member', () => {
  const plain = instanceOf({ name: 'n', id: 'id', address: 'a', port: 1, sslPort: 2 }, known);
  const rest = '"registrationTimeUTC":5,"serviceType":"DYNAMIC","uriSpec":null}';
  const start = '{"name":"n","id":"id","address":"a","port":1,"sslPort":2,"payload":';
  assert.equal(encodeInstance(plain), `${start}null,${rest}`);
  const metadata = { version: '3', tags: ['x'] };
  const told = { weight: 2.5, zone: 'z', metadata };
  const full = instanceOf({ name: 'n', uriSpec: '{scheme}://{ address }/x', ...told }, known);
  assert.equal(
    encodeInstance(full),
    '{"name":"n","id":"made-up","address":null,"port":null,"sslPort":null,' +
      '"payload":{"weight":2.5,"zone":"z","version":"3","tags":["x"]},"registrationTimeUTC":5,' +
      '"serviceType":"DYNAMIC","uriSpec":{"parts":[{"value":"scheme","variable":true},' +
      '{"value":"://","variable":false},{"value":"address","variable":true},{"value":"/x","variable":false}]}}',
  );
  const read = decodeInstance(bytes(encodeInstance(full)), '/x');
  assert.deepEqual(read, { ...full, uriSpec: '{scheme}://{address}/x' });
});

test('what Curator writes is read: class names, other payloads, missing members', () => {
  const java = decodeInstance(
    bytes(
      '{"name":"n","id":"i","payload":{"@class":"java.util.HashMap","weight":"3","zone":"b","v":1},' +
        '"serviceType":"DYNAMIC_SEQUENTIAL","enabled":false,"later":true}',
    ),
    '/x',
  );
  const { weight, zone, metadata, type, enabled, port, address } = java;
  assert.deepEqual({ weight, zone, metadata }, { weight: 3, zone: 'b', metadata: { v: 1 } });
  assert.deepEqual([type, enabled, port, address], ['dynamicSequential', false, null, null]);
  for (const payload of ['"text"', '7', '["java.lang.Long",7]', 'null', '{"weight":-1}']) {
    const read = decodeInstance(bytes(`{"name":"n","id":"i","payload":${payload}}`), '/x');
    assert.deepEqual(read.payload, JSON.parse(payload));
    assert.equal(read.weight, 1);
  }
  for (const wrong of ['', 'x', '[]', '7', 'null']) {
    assert.throws(() => decodeInstance(bytes(wrong), '/x'), /read a service instance from \/x/);
  }
});

test('a URI is made of the fields that Curator knows', () => {
  const one = instanceOf({ name: 'n', id: 'i', address: 'h', port: 80 }, known);
  assert.equal(uriOf(one), 'http://h:80');
  const safe = instanceOf({ name: 'n', id: 'i', address: 'h', port: 80, sslPort: 443 }, known);
  assert.equal(uriOf(safe), 'https://h:443');
  const uriSpec = '{scheme}://{address}/{name}/{id}{[}{nothing}{]}?{service-type}&{a}';
  assert.equal(uriOf({ ...one, uriSpec }, { a: 1 }), 'http://h/n/i{}?dynamic&1');
  assert.throws(() => uriOf({ ...one, uriSpec: '{scheme' }), /braces must pair/);
});

test('a description that is not valid is refused', () => {
  for (const [description, message] of [
    [{ name: 'a/b' }, /the name a\/b/],
    [{ name: '' }, /the name/],
    [{ name: 'n', id: '..' }, /the id \.\./],
    [{ name: 'n', port: 65536 }, /port 65536/],
    [{ name: 'n', weight: -1 }, /weight -1/],
    [{ name: 'n', metadata: { zone: 'x' } }, /the member zone/],
  ] as const) {
    assert.throws(() => instanceOf(description, known), message);
  }
});

test('instances come and go, and say something new of themselves', async () => {
  const server = new ModelServer();
  const [one, two, watching] = [
    await server.client(),
    await server.client(),
    await server.client(),
  ];
  assert.deepEqual(await serviceNames(watching, '/services'), []);
  const cache = await ServiceCache.start(watching, '/services', 'web');
  const seen: string[] = [];
  const following = (async () => {
    for await (const instances of cache.changes()) {
      seen.push(instances.map(({ id, weight }) => `${id}=${weight}`).join());
    }
  })();
  const first = await ServiceRegistration.start(one, '/services', { name: 'web', id: 'a' });
  await server.pass(0);
  await ServiceRegistration.start(two, '/services', { name: 'web', id: 'b', weight: 4 });
  await server.pass(0);
  await first.update({ weight: 2, zone: 'z' });
  await server.pass(0);
  assert.equal(cache.instances[0]?.zone, 'z');
  assert.deepEqual(await serviceNames(watching, '/services'), ['web']);
  await watching.create('/services/web/c', 'no JSON');
  await server.pass(0);
  assert.deepEqual([...cache.unreadable.keys()], ['/services/web/c']);
  await server.expire(two);
  await server.pass(0);
  await server.remove('/services/web/a');
  await server.pass(0);
  await first.close();
  await server.pass(0);
  assert.deepEqual(server.children('/services/web'), ['c']);
  await cache.close();
  await following;
  assert.deepEqual([...new Set(seen)], ['', 'a=1', 'a=1,b=4', 'a=2,b=4', 'a=2']);
});

test('an unhealthy instance is taken out, and put back', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  let answer: () => boolean | Promise<boolean> = () => false;
  const health = { check: () => answer(), intervalMs: 100, timeoutMs: 50, failuresMax: 2 };
  const description = { name: 'web', id: 'a' };
  const registration = await ServiceRegistration.start(zk, '/s', description, { health });
  assert.equal(registration.isRegistered, false);
  answer = () => true;
  await server.pass(100);
  assert.deepEqual(server.children('/s/web'), ['a']);
  answer = () => {
    throw new Error('broken');
  };
  await server.pass(100);
  assert.equal(registration.isRegistered, true);
  answer = () => new Promise(() => {});
  await server.pass(200);
  assert.equal(registration.isRegistered, false);
  assert.deepEqual(server.children('/s/web'), []);
  await registration.update({ port: 81 });
  answer = () => true;
  await server.pass(100);
  const { data } = server.tree.get('/s/web/a');
  assert.equal(decodeInstance(data, '/s/web/a').port, 81);
  await registration.close();
  await server.pass(1000);
  assert.deepEqual(server.children('/s/web'), []);
});

for (const end of ['expired', 'closed']) {
  test(`the end of the session, ${end}, ends a registration`, async () => {
    const server = new ModelServer();
    const zk = await server.client();
    const health = { check: () => true };
    const registration = await ServiceRegistration.start(zk, '/s', { name: 'web' }, { health });
    assert.match(registration.instance.id, /^[0-9a-f]{8}-/);
    if (end === 'closed') await zk.close();
    else await server.expire(zk);
    await server.pass(3000);
    assert.equal(registration.failed.aborted, true);
    assert.equal(registration.isRegistered, false);
    assert.equal(server.clock.fireNext(Number.MAX_SAFE_INTEGER), false);
    await registration.close();
  });
}

test('strategies choose', () => {
  const made = (id: string, weight = 1): ServiceInstance =>
    instanceOf({ name: 'n', id, weight }, known);
  const [a, b, c] = [made('a'), made('b', 2), made('c', 0)];
  let chance = 0;
  const loads = new Map<string, number>();
  const context = {
    random: { below: (bound: number) => Math.floor(chance * bound) },
    loadOf: ({ id }: ServiceInstance) => loads.get(id) ?? 0,
  };
  const ids = (strategy: ProviderStrategy, ...lists: ServiceInstance[][]): string =>
    lists.map((list) => strategy.pick(list, context).id).join('');
  assert.equal(ids(roundRobin(), [a, b], [a, b], [a, b], [a], [a, b, c], [a, b, c]), 'abaabc');
  const steady = sticky();
  assert.equal(ids(steady, [a, b], [a, b], [b, c], [a, b, c], [a, c]), 'aaccc');
  const chances = [0, 0.3, 0.34, 0.99];
  const drawn = (strategy: ProviderStrategy, list: ServiceInstance[]): string =>
    chances
      .map((one) => {
        chance = one;
        return ids(strategy, list);
      })
      .join('');
  assert.equal(drawn(weightedRandom(), [a, b, c]), 'aabb');
  assert.equal(drawn(weightedRandom(), [c]), 'cccc');
  assert.equal(drawn(randomInstance(), [a, b, c]), 'aabc');
  chance = 0;
  loads.set('a', 1).set('b', 2);
  assert.equal(ids(leastLoaded(), [a, b, c]), 'b');
  loads.set('a', 0);
  assert.equal(ids(leastLoaded(), [a, b, c]), 'a');
});

test('a provider prefers its zone and leaves out what fails', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const add = (id: string, zone: string): Promise<ServiceRegistration> =>
    ServiceRegistration.start(zk, '/s', { name: 'web', id, zone });
  const near = await add('a', 'here');
  await add('b', 'there');
  await add('c', 'there');
  await zk.create('/s/web/d', '{"name":"web","id":"d","enabled":false}');
  const downPolicy = { errorsMax: 2, windowMs: 1000 };
  const provider = await ServiceProvider.start(zk, '/s', 'web', { zone: 'here', downPolicy });
  const pick = (): string => provider.pick()?.id ?? 'none';
  assert.deepEqual([pick(), pick()], ['a', 'a']);
  const fail = (): Promise<never> => Promise.reject(new Error('no answer'));
  await assert.rejects(provider.use(fail), /no answer/);
  await server.pass(500);
  assert.equal(pick(), 'a');
  await assert.rejects(provider.use(fail), /no answer/);
  assert.deepEqual([pick(), pick()].sort(), ['b', 'c']);
  const tried: string[] = [];
  const flaky = async ({ id }: ServiceInstance): Promise<string> => {
    tried.push(id);
    const loads = provider.cache.instances.map((instance) => provider.loadOf(instance));
    assert.equal(loads.filter((load) => load === 1).length, 1);
    return tried.length < 2 ? fail() : id;
  };
  assert.equal(await provider.use(flaky, { attemptsMax: 3 }), tried[1]);
  assert.deepEqual(tried.toSorted(), ['b', 'c']);
  await server.pass(500);
  assert.equal(pick(), 'a');
  await near.close();
  for (const id of ['b', 'c']) await server.remove(`/s/web/${id}`);
  await provider.close();
  const nobody = await ServiceProvider.start(zk, '/s', 'other');
  assert.equal(nobody.pick(), null);
  assert.equal(await outcome(nobody.use(fail)), 'NoInstanceError');
  await nobody.close();
});

test('a list is told only when it was one: not in the middle of what happens', async () => {
  const server = new ModelServer();
  const [zk, other] = await Promise.all([1, 2].map(() => server.client()));
  assert.ok(zk && other);
  const make = (id: string): Promise<unknown> => {
    return other.create(`/s/web/${id}`, JSON.stringify({ name: 'web', id }));
  };
  for (const path of ['/s', '/s/web']) await other.create(path);
  await make('a');
  const cache = await ServiceCache.start(zk, '/s', 'web');
  const lists = cache.changes();
  const next = async (): Promise<string> => {
    const { value } = await lists.next();
    return (value ?? []).map(({ id }) => id).join();
  };
  assert.equal(await next(), 'a');
  await make('b');
  await server.pass(0);
  // Before what follows is read, the reader has heard that `a` is gone, and not yet what `c` is.
  await Promise.all([make('c'), other.delete('/s/web/a')]);
  const told = next();
  await server.pass(0);
  assert.equal(await told, 'b,c');
  await cache.close();
});
