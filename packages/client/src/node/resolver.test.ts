import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { getServers, setServers } from 'node:dns';
import { once } from 'node:events';
import { test } from 'node:test';
import type { SrvRecord } from '../ports.ts';
import { nodePorts } from './node-ports.ts';

/** A name as DNS writes it. */
function labels(name: string): Buffer {
  const parts = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([...parts, Buffer.of(0)]);
}

/** The answer to a question: these records, or that there is no such name. */
function answer(question: Buffer, records: readonly SrvRecord[]): Buffer {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(records.length > 0 ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt16BE(0, 10);
  const asked = question.subarray(12, question.indexOf(0, 12) + 5);
  const answers = records.map(({ name, port }) => {
    const target = labels(name);
    const record = Buffer.from([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 6 + target.length]);
    const priorities = Buffer.of(0, 10, 0, 5, port >> 8, port & 0xff);
    return Buffer.concat([record, priorities, target]);
  });
  return Buffer.concat([header, asked, ...answers]);
}

function ask(name: string): Promise<readonly SrvRecord[]> {
  return new Promise((resolve, reject) => {
    nodePorts.resolver?.resolveSrv(name, (error, records) => {
      if (error === null) resolve(records);
      else reject(error);
    });
  });
}

test('the resolver asks DNS for SRV records, anew each time', async () => {
  let records: SrvRecord[] = [
    { name: 'zk1.example', port: 2181 },
    { name: 'zk2.example', port: 2281 },
  ];
  const server = createSocket('udp4', (question, { port, address }) =>
    server.send(answer(question, records), port, address),
  );
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const before = getServers();
  setServers([`127.0.0.1:${server.address().port}`]);
  try {
    const found = await ask('_zookeeper._tcp.example');
    const inOrder = found.map(({ name, port }) => `${name}:${port}`).sort();
    assert.deepEqual(inOrder, ['zk1.example:2181', 'zk2.example:2281']);
    records = [];
    await assert.rejects(ask('_zookeeper._tcp.example'), { code: 'ENOTFOUND' });
  } finally {
    setServers(before);
    server.close();
  }
});
