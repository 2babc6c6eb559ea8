import { type Acl, JuteWriter, OpCode, Perms } from '@meerkat/protocol';

/** The ACL that lets everybody do everything. */
export const openAcl: readonly Acl[] = [
  { perms: Perms.all, id: { scheme: 'world', id: 'anyone' } },
];

/** The bytes of one request: header, then what `write` adds. The length comes when it is sent. */
export function encodeRequest(
  xid: number,
  type: number,
  write: (writer: JuteWriter) => void = () => {},
): Uint8Array {
  const writer = new JuteWriter(128);
  writer.writeInt(xid);
  writer.writeInt(type);
  write(writer);
  return writer.toBytes();
}

/** A ping. */
export const pingRequest: Uint8Array = encodeRequest(-2, OpCode.ping);
