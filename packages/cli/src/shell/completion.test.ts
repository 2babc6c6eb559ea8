import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedClient } from '../testing/scripted-client.ts';
import { completeLine } from './completion.ts';

test('commands', async () => {
  assert.deepEqual(await completeLine('get', undefined), [
    ['get ', 'getAcl ', 'getAllChildrenNumber ', 'getEphemerals '],
    'get',
  ]);
  assert.deepEqual(await completeLine('nothing', undefined), [[], 'nothing']);
});

test('options', async () => {
  assert.deepEqual(await completeLine('reconfig -', undefined), [
    ['-s ', '-v ', '-file ', '-members ', '-add ', '-remove '],
    '-',
  ]);
  assert.deepEqual(await completeLine('reconfig -s -a', undefined), [['-add '], '-a']);
  assert.deepEqual(await completeLine('quit -', undefined), [[], '-']);
});

test('paths', async () => {
  const client = new ScriptedClient();
  assert.deepEqual(await completeLine('ls /zoo', client), [['/zookeeper'], '/zoo']);
  assert.deepEqual(await completeLine('ls -s /zookeeper/', client), [
    ['/zookeeper/config', '/zookeeper/quota'],
    '/zookeeper/',
  ]);
  assert.deepEqual(await completeLine('ls /nope/x', client), [[], '/nope/x']);
  assert.deepEqual(await completeLine('ls /x', undefined), [[], '/x']);
});
