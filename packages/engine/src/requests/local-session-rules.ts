/**
 * Which requests need a session that the whole ensemble knows (`QuorumZooKeeperServer.checkUpgradeSession`). Owns the
 * look into them; what follows from it is the dispatcher's.
 */
import { CreateFlag, JuteError, type JuteReader, OpCode } from '@meerkat/protocol';
import { readAclVector } from './acl-wire.ts';

/**
 * Whether a request creates an ephemeral, a multi somewhere in it. As in Java, a createTTL never does. What does
 * not decode is left to those who say so.
 *
 * @param reader stands at the request's record, and does so again afterwards
 */
export function createsEphemeral(type: OpCode, reader: JuteReader): boolean {
  if (type !== OpCode.create && type !== OpCode.create2 && type !== OpCode.multi) return false;
  const start = reader.position;
  try {
    return type === OpCode.multi ? multiCreatesEphemeral(reader) : isEphemeral(readFlags(reader));
  } catch (error) {
    if (!(error instanceof JuteError)) throw error;
    return false;
  } finally {
    reader.position = start;
  }
}

function multiCreatesEphemeral(reader: JuteReader): boolean {
  for (;;) {
    const type = reader.readInt() as OpCode;
    const isDone = reader.readBoolean();
    reader.readInt();
    if (isDone) return false;
    switch (type) {
      case OpCode.create:
      case OpCode.create2:
        if (isEphemeral(readFlags(reader))) return true;
        break;
      case OpCode.createContainer:
        readFlags(reader);
        break;
      case OpCode.createTTL:
        readFlags(reader);
        reader.readInt();
        reader.readInt();
        break;
      case OpCode.setData:
        reader.readString();
        reader.skipBuffer();
        reader.readInt();
        break;
      case OpCode.delete:
      case OpCode.check:
        reader.readString();
        reader.readInt();
        break;
      default:
        return false;
    }
  }
}

/** Reads a CreateRequest. */
function readFlags(reader: JuteReader): number {
  reader.readString();
  reader.skipBuffer();
  readAclVector(reader);
  return reader.readInt();
}

function isEphemeral(flags: number): boolean {
  return flags === CreateFlag.ephemeral || flags === CreateFlag.ephemeralSequential;
}
