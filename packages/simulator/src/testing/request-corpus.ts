import { readFileSync } from 'node:fs';
import {
  AddWatchMode,
  asZxid,
  CreateFlag,
  creatorAllAcl,
  JuteWriter,
  OpCode,
  openAclUnsafe,
  utf8,
  WatcherType,
  writeAddWatchRequest,
  writeAuthPacket,
  writeCheckVersionRequest,
  writeConnectRequest,
  writeCreateRequest,
  writeCreateTTLRequest,
  writeDeleteContainerRequest,
  writeDeleteRequest,
  writeGetDataRequest,
  writeGetSASLRequest,
  writeMultiHeader,
  writeReconfigRequest,
  writeRemoveWatchesRequest,
  writeRequestHeader,
  writeSetACLRequest,
  writeSetDataRequest,
  writeSetWatches2,
  writeSyncRequest,
} from '@meerkat/protocol';

/** Frames to start from, as they stand on a wire: the length in four bytes, then the body. */
export interface RequestCorpus {
  /** First frames of a connection. */
  readonly handshakes: readonly Uint8Array[];
  /** Requests: what clients were seen to send, and every operation once on each of a few paths. */
  readonly requests: readonly Uint8Array[];
}

/** Frames of real clients (the golden captures of `protocol`) and generated ones, in a fixed order. */
export function requestCorpus(): RequestCorpus {
  const handshakes = [handshake(null), handshake(false), handshake(true)];
  const requests = [...paths.flatMap(requestsOn), ...multis()];
  for (const name of ['java-client', 'kazoo', 'hand-made']) {
    for (const { from, kind, hex } of goldenFrames(name)) {
      if (from !== 'client') continue;
      const frame = Uint8Array.from(Buffer.from(hex, 'hex'));
      (kind === 'connectRequest' ? handshakes : requests).push(frame);
    }
  }
  return { handshakes, requests };
}

/** A frame with this header and this record behind it. */
export function requestFrame(
  xid: number,
  type: number,
  write: (writer: JuteWriter) => void = () => {},
): Uint8Array {
  const writer = new JuteWriter(256);
  const start = writer.beginFrame();
  writeRequestHeader(writer, { xid, type });
  write(writer);
  writer.endFrame(start);
  return writer.toBytes();
}

/** One operation of a multi: its type and its record. */
export type MultiPart = readonly [type: number, write: (writer: JuteWriter) => void];

/** A frame with a multi of these operations. */
export function multiFrame(type: number, parts: readonly MultiPart[]): Uint8Array {
  return requestFrame(1, type, (writer) => {
    for (const [partType, write] of parts) {
      writeMultiHeader(writer, { type: partType, done: false, err: -1 });
      write(writer);
    }
    writeMultiHeader(writer, { type: -1, done: true, err: -1 });
  });
}

const paths = ['/', '/a', '/a/b', '/a/b/c', '/zookeeper/quota', '/a//b', '/猫', '', 'a', '/a/'];
const data = utf8('data');

function goldenFrames(name: string): readonly { from: string; kind: string; hex: string }[] {
  const folder = new URL('../../../protocol/src/testdata/golden/', import.meta.url);
  const capture: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
  return (capture as { frames: { from: string; kind: string; hex: string }[] }).frames;
}

function handshake(readOnly: boolean | null): Uint8Array {
  const writer = new JuteWriter(64);
  const start = writer.beginFrame();
  writeConnectRequest(writer, {
    protocolVersion: 0,
    lastZxidSeen: 0,
    timeOut: 10_000,
    sessionIdHi: 0,
    sessionIdLo: 0,
    passwd: new Uint8Array(16),
    readOnly,
  });
  writer.endFrame(start);
  return writer.toBytes();
}

function create(path: string, flags: number): (writer: JuteWriter) => void {
  return (writer) => writeCreateRequest(writer, { path, data, acl: openAclUnsafe, flags });
}

function requestsOn(path: string): Uint8Array[] {
  const watched = [OpCode.exists, OpCode.getData, OpCode.getChildren, OpCode.getChildren2];
  const pathOnly = [OpCode.sync, OpCode.getACL, OpCode.getEphemerals, OpCode.getAllChildrenNumber];
  const creates = [OpCode.create, OpCode.create2, OpCode.createContainer];
  const withType = [OpCode.checkWatches, OpCode.removeWatches];
  return [
    ...creates.flatMap((type) =>
      Object.values(CreateFlag).map((flags) => requestFrame(1, type, create(path, flags))),
    ),
    ...watched.map((type) =>
      requestFrame(2, type, (writer) => writeGetDataRequest(writer, { path, watch: true })),
    ),
    ...pathOnly.map((type) =>
      requestFrame(3, type, (writer) => writeSyncRequest(writer, { path })),
    ),
    ...withType.flatMap((op) =>
      Object.values(WatcherType).map((type) =>
        requestFrame(4, op, (writer) => writeRemoveWatchesRequest(writer, { path, type })),
      ),
    ),
    ...Object.values(AddWatchMode).map((mode) =>
      requestFrame(5, OpCode.addWatch, (writer) => writeAddWatchRequest(writer, { path, mode })),
    ),
    ...otherRequestsOn(path),
  ];
}

function otherRequestsOn(path: string): Uint8Array[] {
  const acl = creatorAllAcl;
  const ttl = { ttlHi: 0, ttlLo: 1000 };
  const flags = CreateFlag.persistentWithTtl;
  const lists = {
    dataWatches: [path],
    existWatches: [path],
    childWatches: [path],
    persistentWatches: [path],
    persistentRecursiveWatches: [path],
  };
  return [
    requestFrame(6, OpCode.delete, (w) => writeDeleteRequest(w, { path, version: -1 })),
    requestFrame(7, OpCode.setData, (w) => writeSetDataRequest(w, { path, data, version: -1 })),
    requestFrame(8, OpCode.setACL, (w) => writeSetACLRequest(w, { path, acl, version: -1 })),
    requestFrame(9, OpCode.check, (w) => writeCheckVersionRequest(w, { path, version: 0 })),
    requestFrame(10, OpCode.createTTL, (w) =>
      writeCreateTTLRequest(w, { path, data, acl, flags, ...ttl }),
    ),
    requestFrame(11, OpCode.deleteContainer, (w) => writeDeleteContainerRequest(w, { path })),
    requestFrame(-8, OpCode.setWatches2, (w) =>
      writeSetWatches2(w, { relativeZxid: asZxid(1), ...lists }),
    ),
    requestFrame(-4, OpCode.auth, (w) =>
      writeAuthPacket(w, { type: 0, scheme: 'digest', auth: utf8(`user:${path}`) }),
    ),
    requestFrame(12, OpCode.sasl, (w) => writeGetSASLRequest(w, { token: utf8(path) })),
    requestFrame(13, OpCode.reconfig, (w) =>
      writeReconfigRequest(w, {
        joiningServers: path,
        leavingServers: null,
        newMembers: null,
        curConfigId: -1,
      }),
    ),
    requestFrame(14, OpCode.whoAmI),
    requestFrame(-2, OpCode.ping),
  ];
}

/** Multis: none, one of each kind, many operations, kinds mixed, and a multi inside a multi. */
function multis(): Uint8Array[] {
  const path = '/a/m';
  const writes: MultiPart[] = [
    [OpCode.create, create(path, CreateFlag.persistent)],
    [OpCode.create2, create(path, CreateFlag.persistentSequential)],
    [OpCode.setData, (w) => writeSetDataRequest(w, { path, data, version: -1 })],
    [OpCode.check, (w) => writeCheckVersionRequest(w, { path, version: -1 })],
    [OpCode.delete, (w) => writeDeleteRequest(w, { path, version: -1 })],
  ];
  const read: MultiPart = [
    OpCode.getData,
    (w) => writeGetDataRequest(w, { path: '/a', watch: false }),
  ];
  const inner = multiFrame(OpCode.multi, writes).subarray(12);
  const nested: MultiPart = [OpCode.multi, (w) => w.writeBytes(inner, 0, inner.length)];
  return [
    multiFrame(OpCode.multi, []),
    multiFrame(OpCode.multiRead, []),
    multiFrame(OpCode.multi, writes),
    multiFrame(OpCode.multiRead, [read, read]),
    multiFrame(OpCode.multi, [...writes, read]),
    multiFrame(OpCode.multiRead, [read, ...writes]),
    multiFrame(OpCode.multi, Array.from({ length: 300 }, () => writes).flat()),
    multiFrame(OpCode.multi, [nested, nested]),
    multiFrame(OpCode.multiRead, [nested]),
  ];
}
