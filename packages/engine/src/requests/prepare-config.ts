import { ErrorCode, Perms, utf8 } from '@meerkat/protocol';
import { isPermitted } from './access.ts';
import type { WriteContext } from './replica-state.ts';

/**
 * reconfig: the transaction puts the new configuration into /zookeeper/config, whose version stays -1
 * (`PrepRequestProcessor.pRequest2Txn`). Who may is asked last, as in ZooKeeper.
 */
export function prepareConfig(context: WriteContext, text: string): ErrorCode {
  const { writer, state } = context;
  const record = state.outstanding.find(configPath, 0, configPath.length);
  if (record === null) return ErrorCode.noNode;
  if (!state.config.skipAcl && !isPermitted(record.acl, Perms.write, context.authIds)) {
    return ErrorCode.noAuth;
  }
  const data = utf8(text);
  writer.writeBuffer(configPath);
  writer.writeBuffer(data);
  writer.writeInt(-1);
  state.outstanding.touch(record, context.zxid);
  record.version = -1;
  record.mtime = context.timeMs;
  record.mzxid = context.zxid;
  record.dataLength = data.length;
  state.outstanding.changed(record);
  return ErrorCode.ok;
}

const configPath = utf8('/zookeeper/config');
