import {
  CreateFlag,
  JuteWriter,
  OpCode,
  Perms,
  writeCreateRequest,
  writeDeleteRequest,
  writeExistsRequest,
  writeGetChildren2Request,
  writeGetDataRequest,
  writeMultiHeader,
  writeRequestHeader,
  writeSetDataRequest,
} from '@meerkat/protocol';

/** Digits in the name of a znode that a template addresses. */
export const nameDigits = 10;

const zeros = '0'.repeat(nameDigits);
const worldAll = [{ perms: Perms.all, id: { scheme: 'world', id: 'anyone' } }];

/**
 * A whole frame, encoded once. A request is a copy of it with the xid and the number in the name of
 * each znode filled in, so that a load of any kind costs a copy and a few bytes per request.
 */
export class RequestTemplate {
  /** The frame, its length included. */
  readonly bytes: Uint8Array;
  /** Where the numbers of the names stand in the frame. */
  readonly #digitsAt: readonly number[];

  constructor(bytes: Uint8Array, digitsAt: readonly number[]) {
    this.bytes = bytes;
    this.#digitsAt = digitsAt;
  }

  /** How many names a request has. */
  get names(): number {
    return this.#digitsAt.length;
  }

  /** Copies the frame to `target[at…]` with this xid; returns where it ends. */
  copyTo(target: Uint8Array, at: number, xid: number): number {
    const source = this.bytes;
    const length = source.length;
    if (length <= 64) for (let i = 0; i < length; i++) target[at + i] = source[i] as number;
    else target.set(source, at);
    target[at + 4] = xid >>> 24;
    target[at + 5] = xid >>> 16;
    target[at + 6] = xid >>> 8;
    target[at + 7] = xid;
    return at + length;
  }

  /** Fills in the number of one of the names of the request that was copied to `target[at…]`. */
  setName(target: Uint8Array, at: number, name: number, value: number): void {
    let rest = value;
    const first = at + (this.#digitsAt[name] as number);
    for (let digit = first + nameDigits - 1; digit >= first; digit--) {
      const tenth = Math.floor(rest / 10);
      target[digit] = 48 + rest - tenth * 10;
      rest = tenth;
    }
  }
}

/** getData of `prefix` and a number. */
export function getTemplate(prefix: string): RequestTemplate {
  return build(OpCode.getData, prefix, (writer) => {
    writeGetDataRequest(writer, { path: prefix + zeros, watch: false });
  });
}

/** exists of `prefix` and a number. */
export function existsTemplate(prefix: string): RequestTemplate {
  return build(OpCode.exists, prefix, (writer) => {
    writeExistsRequest(writer, { path: prefix + zeros, watch: false });
  });
}

/** setData of `prefix` and a number, any version. */
export function setTemplate(prefix: string, data: Uint8Array): RequestTemplate {
  return build(OpCode.setData, prefix, (writer) => {
    writeSetDataRequest(writer, { path: prefix + zeros, data, version: -1 });
  });
}

/** create of `prefix` and a number, persistent, open to all. */
export function createTemplate(prefix: string, data: Uint8Array): RequestTemplate {
  return build(OpCode.create, prefix, (writer) => {
    writeCreateRequest(writer, createRequest(prefix + zeros, data));
  });
}

/** delete of `prefix` and a number, any version. */
export function deleteTemplate(prefix: string): RequestTemplate {
  return build(OpCode.delete, prefix, (writer) => {
    writeDeleteRequest(writer, { path: prefix + zeros, version: -1 });
  });
}

/** getChildren2 of one path. */
export function childrenTemplate(path: string): RequestTemplate {
  return build(OpCode.getChildren2, null, (writer) => {
    writeGetChildren2Request(writer, { path, watch: false });
  });
}

/** create of one path. */
export function createPathTemplate(path: string): RequestTemplate {
  return build(OpCode.create, null, (writer) => {
    writeCreateRequest(writer, createRequest(path, null));
  });
}

/** delete of one path. */
export function deletePathTemplate(path: string): RequestTemplate {
  return build(OpCode.delete, null, (writer) => writeDeleteRequest(writer, { path, version: -1 }));
}

/** The request that ends a session. */
export function closeSessionTemplate(): RequestTemplate {
  return build(OpCode.closeSession, null, () => {});
}

/** A transaction of `operations` times setData of `prefix` and a number. */
export function multiTemplate(
  prefix: string,
  data: Uint8Array,
  operations: number,
): RequestTemplate {
  const writer = new JuteWriter();
  const digitsAt: number[] = [];
  const start = writer.beginFrame();
  writeRequestHeader(writer, { xid: 0, type: OpCode.multi });
  for (let i = 0; i < operations; i++) {
    writeMultiHeader(writer, { type: OpCode.setData, done: false, err: -1 });
    digitsAt.push(writer.length + 4 + Buffer.byteLength(prefix));
    writeSetDataRequest(writer, { path: prefix + zeros, data, version: -1 });
  }
  writeMultiHeader(writer, { type: -1, done: true, err: -1 });
  writer.endFrame(start);
  return new RequestTemplate(writer.toBytes(), digitsAt);
}

/** The path is the first field of every record that has one. */
function build(
  type: number,
  prefix: string | null,
  writeRecord: (writer: JuteWriter) => void,
): RequestTemplate {
  const writer = new JuteWriter();
  const start = writer.beginFrame();
  writeRequestHeader(writer, { xid: 0, type });
  const digitsAt = prefix === null ? [] : [writer.length + 4 + Buffer.byteLength(prefix)];
  writeRecord(writer);
  writer.endFrame(start);
  return new RequestTemplate(writer.toBytes(), digitsAt);
}

function createRequest(path: string, data: Uint8Array | null) {
  return { path, data, acl: worldAll, flags: CreateFlag.persistent };
}
