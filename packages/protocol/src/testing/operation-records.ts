import { JuteError } from '../jute/jute-error.ts';
import type { JuteReader } from '../jute/jute-reader.ts';
import type { JuteWriter } from '../jute/jute-writer.ts';
import { OpCode } from '../opcodes.ts';
import { type MultiHeader, readMultiHeader, writeMultiHeader } from '../records/generated.ts';
import { codecOf } from './record-arbitraries.ts';

/** The records of an operation by name; null where there is none, absent for multis. */
interface OperationRecords {
  readonly request: string | null;
  readonly reply: string | null;
}

const operations: Readonly<Record<number, OperationRecords>> = {
  [OpCode.create]: { request: 'CreateRequest', reply: 'CreateResponse' },
  [OpCode.delete]: { request: 'DeleteRequest', reply: null },
  [OpCode.exists]: { request: 'ExistsRequest', reply: 'ExistsResponse' },
  [OpCode.getData]: { request: 'GetDataRequest', reply: 'GetDataResponse' },
  [OpCode.setData]: { request: 'SetDataRequest', reply: 'SetDataResponse' },
  [OpCode.getACL]: { request: 'GetACLRequest', reply: 'GetACLResponse' },
  [OpCode.setACL]: { request: 'SetACLRequest', reply: 'SetACLResponse' },
  [OpCode.getChildren]: { request: 'GetChildrenRequest', reply: 'GetChildrenResponse' },
  [OpCode.sync]: { request: 'SyncRequest', reply: 'SyncResponse' },
  [OpCode.ping]: { request: null, reply: null },
  [OpCode.getChildren2]: { request: 'GetChildren2Request', reply: 'GetChildren2Response' },
  [OpCode.check]: { request: 'CheckVersionRequest', reply: null },
  [OpCode.create2]: { request: 'CreateRequest', reply: 'Create2Response' },
  [OpCode.reconfig]: { request: 'ReconfigRequest', reply: 'GetDataResponse' },
  [OpCode.checkWatches]: { request: 'CheckWatchesRequest', reply: null },
  [OpCode.removeWatches]: { request: 'RemoveWatchesRequest', reply: null },
  [OpCode.createContainer]: { request: 'CreateRequest', reply: 'Create2Response' },
  [OpCode.deleteContainer]: { request: 'DeleteContainerRequest', reply: null },
  [OpCode.createTTL]: { request: 'CreateTTLRequest', reply: 'Create2Response' },
  [OpCode.auth]: { request: 'AuthPacket', reply: null },
  [OpCode.setWatches]: { request: 'SetWatches', reply: null },
  [OpCode.sasl]: { request: 'GetSASLRequest', reply: 'SetSASLResponse' },
  [OpCode.getEphemerals]: { request: 'GetEphemeralsRequest', reply: 'GetEphemeralsResponse' },
  [OpCode.getAllChildrenNumber]: {
    request: 'GetAllChildrenNumberRequest',
    reply: 'GetAllChildrenNumberResponse',
  },
  [OpCode.setWatches2]: { request: 'SetWatches2', reply: null },
  [OpCode.addWatch]: { request: 'AddWatchRequest', reply: 'ErrorResponse' },
  [OpCode.whoAmI]: { request: null, reply: 'WhoAmIResponse' },
  [OpCode.createSession]: { request: 'CreateSessionTxn', reply: null },
  [OpCode.closeSession]: { request: null, reply: null },
};

/**
 * Reads the record behind the header of a request and writes it again.
 *
 * @throws JuteError when it does not decode, or when no operation has this opcode
 */
export function copyRequest(type: number, reader: JuteReader, writer: JuteWriter): void {
  if (isMulti(type)) copyParts('request', reader, writer);
  else copyRecord(recordsOf(type).request, reader, writer);
}

/** Reads the record behind the header of a reply to an operation and writes it again. */
export function copyReply(type: number, reader: JuteReader, writer: JuteWriter): void {
  if (isMulti(type)) copyParts('reply', reader, writer);
  else copyRecord(recordsOf(type).reply, reader, writer);
}

function isMulti(type: number): boolean {
  return type === OpCode.multi || type === OpCode.multiRead;
}

function recordsOf(type: number): OperationRecords {
  const records = operations[type];
  if (records === undefined)
    throw new JuteError(`Cannot read an operation: current type is ${type}`);
  return records;
}

function copyRecord(name: string | null, reader: JuteReader, writer: JuteWriter): void {
  if (name === null) return;
  const { read, write } = codecOf(name);
  write(writer, read(reader));
}

/** A multi: a header before each part, and one that says done at the end. */
function copyParts(side: keyof OperationRecords, reader: JuteReader, writer: JuteWriter): void {
  let header: MultiHeader;
  do {
    header = readMultiHeader(reader);
    writeMultiHeader(writer, header);
    if (header.done) continue;
    const isError = side === 'reply' && header.type === OpCode.error;
    copyRecord(isError ? 'ErrorResponse' : recordsOf(header.type)[side], reader, writer);
  } while (!header.done);
}
