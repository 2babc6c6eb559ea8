import { createHash } from 'node:crypto';
import {
  type JuteReader,
  OpCode,
  readAuthPacket,
  readCheckWatchesRequest,
  readCreateRequest,
  readCreateTTLRequest,
  readDeleteRequest,
  readExistsRequest,
  readMultiHeader,
  readSetACLRequest,
  readSetDataRequest,
} from '@meerkat/protocol';
import type { SentRequest } from '../ensemble/connection-checker.ts';
import type { ModelRead } from '../model/model-reads.ts';
import type { ModelWrite } from '../model/model-tree.ts';

/**
 * A request as it passed over the wire, in the words of the model.
 *
 * @param type the operation of its header; `reader` stands behind the header
 * @throws Error for operations that the model does not know; JuteError for bytes that are none
 */
export function readSentRequest(type: number, reader: JuteReader): SentRequest {
  if (type === OpCode.closeSession) return { end: true };
  const write = readWrite(type, reader);
  if (write !== null) return { write };
  return { read: readRead(type, reader) };
}

/** Who a client has proved to be by its packet of credentials; '' when that is not by digest. */
export function readDigestId(reader: JuteReader): string {
  const { scheme, auth } = readAuthPacket(reader);
  if (scheme !== 'digest' || auth === null) return '';
  const proof = Buffer.from(auth).toString();
  const user = proof.slice(0, proof.indexOf(':'));
  return `${user}:${createHash('sha1').update(proof).digest('base64')}`;
}

function readWrite(type: number, reader: JuteReader): ModelWrite | null {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL: {
      const isTtl = type === OpCode.createTTL;
      const { path, data, acl, flags } = isTtl
        ? readCreateTTLRequest(reader)
        : readCreateRequest(reader);
      return { kind: 'create', type, path, data: textOf(data), acl: acl ?? [], flags };
    }
    case OpCode.delete: {
      const { path, version } = readDeleteRequest(reader);
      return { kind: 'delete', path, version };
    }
    case OpCode.setData: {
      const { path, data, version } = readSetDataRequest(reader);
      return { kind: 'setData', path, data: textOf(data), version };
    }
    case OpCode.setACL: {
      const { path, acl, version } = readSetACLRequest(reader);
      return { kind: 'setAcl', path, acl: acl ?? [], version };
    }
    case OpCode.check: {
      const { path, version } = readDeleteRequest(reader);
      return { kind: 'check', path, version };
    }
    case OpCode.multi:
      return { kind: 'multi', parts: readParts(reader, readPart) };
    default:
      return null;
  }
}

function readRead(type: number, reader: JuteReader): ModelRead {
  const kind = watchedReads.get(type);
  if (kind !== undefined) {
    const { path, watch } = readExistsRequest(reader);
    return { kind, path, watch };
  }
  switch (type) {
    case OpCode.getACL:
      return { kind: 'getAcl', path: reader.readString() };
    case OpCode.getAllChildrenNumber:
      return { kind: 'getAllChildrenNumber', path: reader.readString() };
    case OpCode.getEphemerals:
      return { kind: 'getEphemerals', path: reader.readString() };
    case OpCode.sync:
      return { kind: 'sync', path: reader.readString() };
    case OpCode.addWatch:
      return { kind: 'addWatch', path: reader.readString(), mode: reader.readInt() };
    case OpCode.removeWatches:
      return { kind: 'removeWatches', ...readCheckWatchesRequest(reader) };
    case OpCode.checkWatches:
      return { kind: 'checkWatches', ...readCheckWatchesRequest(reader) };
    case OpCode.multiRead:
      return { kind: 'multiRead', parts: readParts(reader, readReadPart) };
    default:
      throw new Error(`Cannot check a request: current value is operation ${type}`);
  }
}

function readPart(type: number, reader: JuteReader): ModelWrite {
  const write = readWrite(type, reader);
  if (write === null) throw new Error(`Cannot check a multi: current value is operation ${type}`);
  return write;
}

function readReadPart(
  type: number,
  reader: JuteReader,
): ModelRead & { kind: 'getData' | 'getChildren' } {
  const { path, watch } = readExistsRequest(reader);
  return { kind: type === OpCode.getData ? 'getData' : 'getChildren', path, watch };
}

function readParts<Part>(
  reader: JuteReader,
  readOne: (type: number, reader: JuteReader) => Part,
): Part[] {
  const parts: Part[] = [];
  for (;;) {
    const { type, done } = readMultiHeader(reader);
    if (done) return parts;
    parts.push(readOne(type, reader));
  }
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}

/** Reads whose record is a path and whether to watch it. */
const watchedReads = new Map<number, 'exists' | 'getData' | 'getChildren' | 'getChildren2'>([
  [OpCode.exists, 'exists'],
  [OpCode.getData, 'getData'],
  [OpCode.getChildren, 'getChildren'],
  [OpCode.getChildren2, 'getChildren2'],
]);
