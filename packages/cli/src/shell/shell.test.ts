import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '@meerkat/protocol';
import { connectedState } from '../testing/scripted-client.ts';
import { ShellScript } from '../testing/shell-script.ts';

const script = (): Promise<ShellScript> => ShellScript.start();

test('the prompt shows server, state and number', async () => {
  const { shell, client } = await script();
  assert.equal(shell.prompt, '[zk: zoo:2181(CONNECTED) 0] ');
  await shell.executeLine('ls /');
  await shell.executeLine('   ');
  assert.equal(shell.prompt, '[zk: zoo:2181(CONNECTED) 1] ');
  client.change({ status: 'disconnected', cause: new Error('gone') });
  assert.equal(shell.prompt, '[zk: zoo:2181(CONNECTING) 1] ');
});

test('an unknown command', async () => {
  const { err, exitCode } = await (await script()).run('bogus /');
  assert.equal(exitCode, 127);
  assert.match(err, /^ZooKeeper -server host:port .*\n\taddWatch /);
  assert.match(err, /\n\twhoami \nCommand not found: Command not found bogus\n$/);
});

test('the exit code is that of the last command, and quit keeps it', async () => {
  const shell = await script();
  assert.equal((await shell.run('ls /nope')).exitCode, 1);
  assert.equal((await shell.run('ls /')).exitCode, 0);
  assert.equal((await shell.run('ls /nope', 'quit')).exitCode, 1);
  assert.equal(shell.shell.isOver, true);
});

test('history and redo', async () => {
  const shell = await script();
  await shell.run('ls /', 'get /zookeeper');
  const { out } = await shell.run('history');
  assert.equal(out, '0 - ls /\n1 - get /zookeeper\n2 - history\n');
  assert.equal((await shell.run('redo 0')).out, '[zookeeper]\n');
  assert.equal((await shell.run('history')).out.split('\n')[3], '3 - ls /');
  for (const wrong of ['9', '-1', 'x']) {
    assert.equal((await shell.run(`redo ${wrong}`)).err, 'Command index out of range\n');
  }
  assert.equal((await shell.run('redo 5')).err, 'No redoing redos\n');
});

test('history shows ten commands and the present one', async () => {
  const shell = await script();
  for (let i = 0; i < 20; i++) await shell.run('printwatches on');
  const lines = (await shell.run('history')).out.trim().split('\n');
  assert.equal(lines.length, 11);
  assert.equal(lines[0], '10 - printwatches on');
  assert.equal(lines[10], '20 - history');
});

test('watch events and changes of state are printed, unless switched off', async () => {
  const shell = await script();
  const { out } = await shell.run('create /a 1', 'get -w /a', 'set /a 2');
  const event = 'WatchedEvent state:SyncConnected type:NodeDataChanged path:/a zxid: 7';
  assert.equal(out, `1\n\nWATCHER::\n\n${event}\n`);
  shell.client.change({ status: 'expired', by: 'server' });
  assert.match(shell.take().out, /state:Expired type:None path:null zxid: -1\n$/);
  shell.client.change(connectedState);
  shell.take();
  assert.equal((await shell.run('printwatches')).out, 'printwatches is on\n');
  await shell.run('get -w /a', 'printwatches off');
  shell.take();
  assert.equal((await shell.run('set /a 3', 'printwatches')).out, 'printwatches is off\n');
});

test('close, then connect again', async () => {
  const shell = await script();
  assert.match((await shell.run('close')).out, /state:Closed/);
  assert.deepEqual(await shell.run('ls /'), { out: 'Not connected\n', err: '', exitCode: 0 });
  await shell.run('connect other:1');
  assert.equal(shell.clients.length, 2);
  assert.equal(shell.shell.prompt, '[zk: other:1(CONNECTING) 3] ');
  await shell.run('connect');
  assert.equal(shell.clients.length, 3);
  assert.match(shell.shell.prompt, /other:1/);
});

test('failures without a path of their own', async () => {
  const shell = await script();
  shell.client.nextFailure = ErrorCode.connectionLoss;
  assert.equal((await shell.run('ls /a')).err, 'KeeperErrorCode = ConnectionLoss for /a\n');
  shell.client.nextFailure = ErrorCode.quotaExceeded;
  assert.equal((await shell.run('create /q')).err, 'Quota has exceeded : /q\n');
  shell.client.nextFailure = -777;
  assert.equal((await shell.run('create /q')).err, 'KeeperErrorCode = Unknown error -777 for /q\n');
});

test('a script knows that it owns ephemeral znodes', async () => {
  const shell = await script();
  assert.equal(shell.shell.ownsEphemerals, false);
  await shell.run('create -e /e');
  assert.equal(shell.shell.ownsEphemerals, true);
});
