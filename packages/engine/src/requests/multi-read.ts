import { ErrorCode, JuteError, type JuteReader, type JuteWriter, OpCode } from '@meerkat/protocol';
import type { ClientConnection } from './client-connection.ts';
import { getChildren, getData } from './read-operations.ts';
import type { ReplicaState } from './replica-state.ts';

/**
 * multiRead: several getData and getChildren answered together, each with its own error; the reply
 * itself succeeds (`FinalRequestProcessor`, case multiRead; encoding ZB 1.5).
 */
export function multiRead(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
): ErrorCode {
  const replyStart = reply.length;
  for (;;) {
    const type = reader.readInt();
    const done = reader.readBoolean();
    reader.readInt();
    if (done) break;
    if (type !== OpCode.getData && type !== OpCode.getChildren) {
      throw new JuteError(`Cannot read in a multi: current operation code is ${type}`);
    }
    const start = reader.position;
    const header = reply.length;
    writeHeader(reply, type, false, 0);
    const read = type === OpCode.getData ? getData : getChildren;
    const error = read(state, connection, reader, reply, false);
    if (error !== ErrorCode.ok) {
      reply.length = header;
      writeHeader(reply, OpCode.error, false, error);
      reply.writeInt(error);
    }
    reader.position = start;
    reader.skipBuffer();
    reader.readBoolean();
    // Too long for any client already: its length makes an error of it.
    if (reply.length - replyStart > state.limits.frameBytesMax) break;
  }
  writeHeader(reply, -1, true, -1);
  return ErrorCode.ok;
}

function writeHeader(reply: JuteWriter, type: number, done: boolean, error: number): void {
  reply.writeInt(type);
  reply.writeBoolean(done);
  reply.writeInt(error);
}
