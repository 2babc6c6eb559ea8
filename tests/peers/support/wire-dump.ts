import assert from 'node:assert/strict';
import {
  JuteReader,
  type JuteWriter,
  OpCode,
  readGetACLResponse,
  readGetChildrenResponse,
  readGetDataResponse,
} from '@meerkat/protocol';
import { fourLetterWord } from './four-letter-words.ts';
import { encodeRequest } from './requests.ts';
import { RawConnection } from './wire.ts';

/** Makes a session with `auth digest super:test` see everything. */
export const superUserProperties = {
  'zookeeper.DigestAuthenticationProvider.superDigest': 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=',
} as const;

/**
 * What a server shows of its tree and sessions, as sorted lines in the form of TreeDump.java. What the wire does not
 * show is left out: the owner of containers and TTL nodes is 0, sessions have no timeout.
 */
export async function dumpOverTheWire(port: number): Promise<string[]> {
  const sessions = (await fourLetterWord(port, 'dump')).split('ephemeral nodes dump')[0] ?? '';
  const ids = new Set([...sessions.matchAll(/^\s+0x([0-9a-f]+)/gm)].map((match) => match[1] ?? ''));
  const lines = [...ids].map((id) => `session ${id}`);
  const dumper = new WireDumper(await RawConnection.connect(port));
  await dumper.begin();
  lines.push(...(await dumper.nodes('/')));
  await dumper.end();
  return lines.sort();
}

/** The lines of TreeDump.java, without what the wire does not show. */
export function shownOverTheWire(dump: string): string[] {
  return dump
    .split('\n')
    .filter((line) => line.startsWith('session ') || line.startsWith('node '))
    .map((line) =>
      line
        .replace(/^(session \w+) timeoutMs=\d+$/, '$1')
        .replace(/ephemeralOwner=(8000000000000000|ff\w{14})$/, 'ephemeralOwner=0'),
    )
    .sort();
}

class WireDumper {
  readonly #connection: RawConnection;
  #xid = 0;

  constructor(connection: RawConnection) {
    this.#connection = connection;
  }

  async begin(): Promise<void> {
    const payload = encodeRequest(-4, OpCode.auth, (writer) => {
      writer.writeInt(0);
      writer.writeString('digest');
      writer.writeBuffer(Buffer.from('super:test'));
    });
    this.#connection.send(payload);
    const frame = await this.#connection.next();
    assert.ok(frame.kind === 'reply' && frame.err === 0, 'the server does not know the super user');
  }

  async end(): Promise<void> {
    await this.#call(OpCode.closeSession, () => {});
    this.#connection.destroy();
  }

  async nodes(path: string): Promise<string[]> {
    const read = (writer: JuteWriter): void => {
      writer.writeString(path);
      writer.writeBoolean(false);
    };
    const { data, stat } = readGetDataResponse(await this.#call(OpCode.getData, read));
    const { acl } = readGetACLResponse(
      await this.#call(OpCode.getACL, (writer) => writer.writeString(path)),
    );
    const { children } = readGetChildrenResponse(await this.#call(OpCode.getChildren, read));
    const owner =
      (BigInt(stat.ephemeralOwnerHi >>> 0) << 32n) | BigInt(stat.ephemeralOwnerLo >>> 0);
    const acls = acl?.map(
      ({ perms, id }) => `${escapeText(id.scheme)}:${escapeText(id.id)}:${perms}`,
    );
    const fields = {
      data: data === null ? 'null' : Buffer.from(data).toString('hex'),
      acl: acls?.join(',') ?? 'null',
      czxid: stat.czxid.toString(16),
      mzxid: stat.mzxid.toString(16),
      pzxid: stat.pzxid.toString(16),
      ctime: stat.ctime,
      mtime: stat.mtime,
      version: stat.version,
      // What clients see counts creations and deletions; what is stored, creations.
      storedCversion: (stat.cversion + stat.numChildren) / 2,
      aversion: stat.aversion,
      ephemeralOwner: owner.toString(16),
    };
    const text = Object.entries(fields).map(([key, value]) => `${key}=${value}`);
    const lines = [`node ${escapeText(path)} ${text.join(' ')}`];
    for (const child of children ?? []) {
      lines.push(...(await this.nodes(path === '/' ? `/${child}` : `${path}/${child}`)));
    }
    return lines;
  }

  async #call(type: number, write: (writer: JuteWriter) => void): Promise<JuteReader> {
    this.#connection.send(encodeRequest(++this.#xid, type, write));
    const frame = await this.#connection.next();
    assert.ok(frame.kind === 'reply' && frame.err === 0, `request of type ${type} failed`);
    return new JuteReader(frame.body);
  }
}

/** Percent-encodes what would break a line or a field, as TreeDump.java does. */
function escapeText(text: string): string {
  let escaped = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25 && byte !== 0x2c;
    escaped += plain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return escaped;
}
