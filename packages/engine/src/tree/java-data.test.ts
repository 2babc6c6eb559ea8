import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  JuteReader,
  OpCode,
  readCloseSessionTxn,
  readCreateContainerTxn,
  readCreateTTLTxn,
  readCreateTxn,
  readDeleteTxn,
  readMultiTxn,
  readSetACLTxn,
  readSetDataTxn,
  readTxnDigest,
  readTxnHeader,
  type TxnHeader,
} from '@meerkat/protocol';
import { containerOwner, ttlOwner } from './ephemeral-type.ts';
import type { Change } from './testing/model-tree.ts';
import {
  applyTo,
  contentOf,
  defaultOptions,
  digestOf,
  loadRecord,
} from './testing/tree-testing.ts';
import { Tree } from './tree.ts';

const testdata = join(import.meta.dirname, '../../src/storage/testdata/java-3.8.0');
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

test('replaying the logs of a Java server gives its digest after every transaction (ZB 7.6)', () => {
  let compared = 0;
  for (const name of ['log-only', 'restarted', 'rolled']) {
    const directory = join(testdata, name, 'version-2');
    const tree = new Tree(defaultOptions);
    for (const log of filesOf(directory, 'log.')) {
      compared += replay(tree, read(join(directory, log)), 0);
    }
    assertExpected(tree, join(testdata, name, 'expected.txt'));
  }
  assert(compared > 150, `${compared} digests were compared`);
});

test('every snapshot of a Java server and the log behind it give the same tree (ZB 7.4, 7.5)', () => {
  let loaded = 0;
  for (const name of ['restarted', 'rolled', 'gzip', 'no-digest', 'no-close-session-txn']) {
    const directory = join(testdata, name, 'version-2');
    for (const snapshot of filesOf(directory, 'snapshot.')) {
      const digestEnabled = !name.startsWith('no-');
      const tree = new Tree({ ...defaultOptions, digestEnabled });
      const bytes = read(join(directory, snapshot));
      loadJavaSnapshot(tree, snapshot.endsWith('.gz') ? new Uint8Array(gunzipSync(bytes)) : bytes);
      const zxid = Number.parseInt(snapshot.split('.')[1] ?? '', 16);
      for (const log of filesOf(directory, 'log.')) replay(tree, read(join(directory, log)), zxid);
      assertExpected(tree, join(testdata, name, 'expected.txt'));
      loaded++;
    }
  }
  assert(loaded >= 8, `${loaded} snapshots were loaded`);
});

function filesOf(directory: string, prefix: string): string[] {
  assert(existsSync(directory), directory);
  const zxidOf = (name: string) => Number.parseInt(name.split('.')[1] ?? '', 16);
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => zxidOf(a) - zxidOf(b));
}

/** Applies the records of a log beyond a zxid; returns how many digests agreed. */
function replay(tree: Tree, log: Uint8Array, afterZxid: number): number {
  const reader = new JuteReader(log);
  reader.position = 16;
  let compared = 0;
  while (reader.remaining >= 12) {
    reader.position += 8;
    const body = reader.readBuffer();
    if (body === null || body.length === 0) break;
    reader.position++;
    const record = new JuteReader(body);
    const header = readTxnHeader(record);
    if (header.zxid <= afterZxid) continue;
    for (const change of changesOf(header, record)) {
      applyTo(tree, change, header.zxid, header.time);
    }
    if (record.remaining === 0) continue;
    const { treeDigestHi, treeDigestLo } = readTxnDigest(record);
    const expected = (BigInt(treeDigestHi) << 32n) | BigInt(treeDigestLo >>> 0);
    assert.equal(digestOf(tree), expected, `zxid 0x${header.zxid.toString(16)}`);
    compared++;
  }
  return compared;
}

function changesOf(header: TxnHeader, reader: JuteReader): Change[] {
  const { type, clientIdHi, clientIdLo } = header;
  if (type === OpCode.multi) {
    const txns = readMultiTxn(reader).txns ?? [];
    if (txns.some((txn) => txn.type === OpCode.error)) return [];
    return txns.flatMap((txn) =>
      changesOf({ ...header, type: txn.type }, new JuteReader(txn.data ?? undefined)),
    );
  }
  if (type === OpCode.closeSession) {
    const kill = { type: 'kill' as const, sessionHi: clientIdHi, sessionLo: clientIdLo };
    if (reader.remaining < 4) return [kill];
    const paths = readCloseSessionTxn(reader).paths2Delete ?? [];
    return [...paths.map((path) => ({ type: 'delete' as const, path })), kill];
  }
  const change = changeOf(type, header, reader);
  return change === null ? [] : [change];
}

function changeOf(type: number, header: TxnHeader, reader: JuteReader): Change | null {
  switch (type) {
    case OpCode.create:
    case OpCode.create2: {
      const { path, data, acl, ephemeral, parentCVersion } = readCreateTxn(reader);
      const ownerHi = ephemeral ? header.clientIdHi : 0;
      const ownerLo = ephemeral ? header.clientIdLo : 0;
      return { type: 'create', path, data, acl: acl ?? [], ownerHi, ownerLo, parentCVersion };
    }
    case OpCode.createContainer: {
      const { path, data, acl, parentCVersion } = readCreateContainerTxn(reader);
      const { hi: ownerHi, lo: ownerLo } = containerOwner;
      return { type: 'create', path, data, acl: acl ?? [], ownerHi, ownerLo, parentCVersion };
    }
    case OpCode.createTTL: {
      const { path, data, acl, parentCVersion, ttlHi, ttlLo } = readCreateTTLTxn(reader);
      const owner = ttlOwner(ttlHi, ttlLo) ?? { hi: 0, lo: 0 };
      const rest = { ownerHi: owner.hi, ownerLo: owner.lo, parentCVersion };
      return { type: 'create', path, data, acl: acl ?? [], ...rest };
    }
    case OpCode.delete:
    case OpCode.deleteContainer:
      return { type: 'delete', path: readDeleteTxn(reader).path };
    case OpCode.setData:
      return { type: 'setData', ...readSetDataTxn(reader) };
    case OpCode.setACL: {
      const { path, acl, version } = readSetACLTxn(reader);
      return { type: 'setAcl', path, acl: acl ?? [], version };
    }
    case OpCode.check:
    case OpCode.createSession:
    case OpCode.error:
      // Nothing for the tree. A session has its timeout here, an error its code.
      if (type !== OpCode.check) reader.readInt();
      return null;
    default:
      throw new Error(`no such transaction here: ${type}`);
  }
}

function loadJavaSnapshot(tree: Tree, bytes: Uint8Array): void {
  const reader = new JuteReader(bytes);
  reader.position = 16;
  const sessions = reader.readInt();
  reader.position += sessions * 12;
  tree.beginLoad();
  tree.acls.deserialize(reader);
  while (!isEndMark(reader)) loadRecord(tree, reader);
  tree.finishLoad();
}

function isEndMark(reader: JuteReader): boolean {
  const { bytes, position } = reader;
  return bytes[position + 3] === 1 && bytes[position + 2] === 0 && bytes[position + 4] === 0x2f;
}

/** Compares with what Java says about its own tree; see the README beside the data. */
function assertExpected(tree: Tree, file: string): void {
  const lines = readFileSync(file, 'utf8').split('\n');
  const described = [...contentOf(tree)].map(([path, node]) => {
    const data = node.data === null ? 'null' : Buffer.from(node.data).toString('hex');
    const acl = node.acl.map(({ perms, id }) => `${id.scheme}:${id.id}:${perms}`).join(',');
    const owner = (BigInt(node.ownerHi >>> 0) << 32n) | BigInt(node.ownerLo >>> 0);
    const hex = (value: number) => value.toString(16);
    return (
      `node ${escaped(path)} data=${data} acl=${acl} czxid=${hex(node.czxid)} ` +
      `mzxid=${hex(node.mzxid)} pzxid=${hex(node.pzxid)} ctime=${node.ctime} ` +
      `mtime=${node.mtime} version=${node.version} storedCversion=${node.createCounter} ` +
      `aversion=${node.aversion} ephemeralOwner=${owner.toString(16)}`
    );
  });
  assert.deepEqual(described.sort(), lines.filter((line) => line.startsWith('node ')).sort());
  const digest = lines.find((line) => line.startsWith('digest '))?.slice('digest '.length);
  if (digest !== undefined && /^[0-9a-f]+$/.test(digest)) {
    assert.equal(BigInt.asUintN(64, digestOf(tree)).toString(16), digest);
  }
}

function escaped(path: string): string {
  return [...Buffer.from(path)]
    .map((byte) => (byte > 0x7e ? `%${byte.toString(16)}` : String.fromCharCode(byte)))
    .join('');
}
