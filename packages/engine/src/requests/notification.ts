import { type EventType, type JuteWriter, KeeperState, SpecialXid } from '@meerkat/protocol';

/**
 * Writes one watch event as a frame: a reply nobody asked for, with xid -1.
 *
 * @param zxid the transaction that caused it, -1 when a `setWatches` did (ZOOKEEPER-4655)
 */
export function writeNotification(
  writer: JuteWriter,
  type: EventType,
  path: Uint8Array,
  start: number,
  end: number,
  zxid: number,
): void {
  const frame = writer.beginFrame();
  writer.writeInt(SpecialXid.notification);
  writer.writeLongFromDouble(zxid);
  writer.writeInt(0);
  writer.writeInt(type);
  writer.writeInt(KeeperState.syncConnected);
  writer.writeInt(end - start);
  writer.writeBytes(path, start, end);
  writer.endFrame(frame);
}
