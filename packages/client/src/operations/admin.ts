import { OpCode } from '@meerkat/protocol';
import { BadArgumentsError } from '../errors.ts';
import { decodeNodeData, type NodeData } from './data.ts';
import { decodeNothing, type Operation } from './operation.ts';

/** A change of the ensemble's membership: `joining` and `leaving`, or `newMembers` alone. */
export interface Reconfiguration {
  /** Servers that join or change: `server.4=host:2888:3888;2181`, comma-separated or as a list. */
  readonly joining?: string | readonly string[];
  /** Ids of servers that leave: `3`, comma-separated or as a list. */
  readonly leaving?: string | readonly string[];
  /** The whole new membership. */
  readonly newMembers?: string | readonly string[];
  /** The configuration it is meant to change, as its `version` says; -1n, the default, for any. */
  readonly fromConfig?: bigint;
}

export const reconfig: Operation<Reconfiguration, NodeData> = {
  opcode: OpCode.reconfig,
  doing: 'reconfigure the ensemble',
  validate(body) {
    const { joining, leaving, newMembers } = body;
    const incremental = joining !== undefined || leaving !== undefined;
    if (incremental === (newMembers !== undefined)) {
      throw new BadArgumentsError({
        message: `Cannot reconfigure the ensemble: current value is ${incremental ? 'both kinds of change' : 'no change'}, and it must be joining and leaving servers, or newMembers alone`,
      });
    }
  },
  encode(writer, _serverPath, body) {
    writer.writeString(joined(body.joining));
    writer.writeString(joined(body.leaving));
    writer.writeString(joined(body.newMembers));
    const from = BigInt.asIntN(64, body.fromConfig ?? -1n);
    writer.writeLong(Number(from >> 32n), Number(BigInt.asIntN(32, from)));
  },
  decode: decodeNodeData,
};

export const closeSession: Operation<null, void> = {
  opcode: OpCode.closeSession,
  doing: 'close the session',
  encode() {},
  decode: decodeNothing,
};

function joined(value: string | readonly string[] | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : value.join(',');
}
