// Generated from schema.ts by `npm run generate`. Do not edit: a test compares.
import type { Zxid } from '../ids.ts';
import type { JuteReader } from '../jute/jute-reader.ts';
import type { JuteWriter } from '../jute/jute-writer.ts';

/** Id: scheme ustring, id ustring. */
export interface Id {
  readonly scheme: string;
  readonly id: string;
}

/** Reads a Id. Throws JuteError when the bytes are not one. */
export function readId(reader: JuteReader): Id {
  const scheme = reader.readString();
  const id = reader.readString();
  return { scheme, id };
}

/** Writes a Id. */
export function writeId(writer: JuteWriter, value: Id): void {
  writer.writeString(value.scheme);
  writer.writeString(value.id);
}

/** Acl: perms int, id Id. */
export interface Acl {
  readonly perms: number;
  readonly id: Id;
}

/** Reads a Acl. Throws JuteError when the bytes are not one. */
export function readAcl(reader: JuteReader): Acl {
  const perms = reader.readInt();
  const id = readId(reader);
  return { perms, id };
}

/** Writes a Acl. */
export function writeAcl(writer: JuteWriter, value: Acl): void {
  writer.writeInt(value.perms);
  writeId(writer, value.id);
}

/** Stat: czxid zxid, mzxid zxid, ctime time, mtime time, version int, cversion int, aversion int, ephemeralOwner long, dataLength int, numChildren int, pzxid zxid. */
export interface Stat {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwnerHi: number;
  readonly ephemeralOwnerLo: number;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: Zxid;
}

/** Reads a Stat. Throws JuteError when the bytes are not one. */
export function readStat(reader: JuteReader): Stat {
  const czxid = reader.readSafeLong() as Zxid;
  const mzxid = reader.readSafeLong() as Zxid;
  const ctime = reader.readSafeLong();
  const mtime = reader.readSafeLong();
  const version = reader.readInt();
  const cversion = reader.readInt();
  const aversion = reader.readInt();
  const ephemeralOwnerHi = reader.readInt();
  const ephemeralOwnerLo = reader.readInt();
  const dataLength = reader.readInt();
  const numChildren = reader.readInt();
  const pzxid = reader.readSafeLong() as Zxid;
  return { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwnerHi, ephemeralOwnerLo, dataLength, numChildren, pzxid };
}

/** Writes a Stat. */
export function writeStat(writer: JuteWriter, value: Stat): void {
  writer.writeLongFromDouble(value.czxid);
  writer.writeLongFromDouble(value.mzxid);
  writer.writeLongFromDouble(value.ctime);
  writer.writeLongFromDouble(value.mtime);
  writer.writeInt(value.version);
  writer.writeInt(value.cversion);
  writer.writeInt(value.aversion);
  writer.writeLong(value.ephemeralOwnerHi, value.ephemeralOwnerLo);
  writer.writeInt(value.dataLength);
  writer.writeInt(value.numChildren);
  writer.writeLongFromDouble(value.pzxid);
}

/** StatPersisted: czxid zxid, mzxid zxid, ctime time, mtime time, version int, cversion int, aversion int, ephemeralOwner long, pzxid zxid. */
export interface StatPersisted {
  readonly czxid: Zxid;
  readonly mzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwnerHi: number;
  readonly ephemeralOwnerLo: number;
  readonly pzxid: Zxid;
}

/** Reads a StatPersisted. Throws JuteError when the bytes are not one. */
export function readStatPersisted(reader: JuteReader): StatPersisted {
  const czxid = reader.readSafeLong() as Zxid;
  const mzxid = reader.readSafeLong() as Zxid;
  const ctime = reader.readSafeLong();
  const mtime = reader.readSafeLong();
  const version = reader.readInt();
  const cversion = reader.readInt();
  const aversion = reader.readInt();
  const ephemeralOwnerHi = reader.readInt();
  const ephemeralOwnerLo = reader.readInt();
  const pzxid = reader.readSafeLong() as Zxid;
  return { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwnerHi, ephemeralOwnerLo, pzxid };
}

/** Writes a StatPersisted. */
export function writeStatPersisted(writer: JuteWriter, value: StatPersisted): void {
  writer.writeLongFromDouble(value.czxid);
  writer.writeLongFromDouble(value.mzxid);
  writer.writeLongFromDouble(value.ctime);
  writer.writeLongFromDouble(value.mtime);
  writer.writeInt(value.version);
  writer.writeInt(value.cversion);
  writer.writeInt(value.aversion);
  writer.writeLong(value.ephemeralOwnerHi, value.ephemeralOwnerLo);
  writer.writeLongFromDouble(value.pzxid);
}

/** ClientInfo: authScheme ustring, user ustring. */
export interface ClientInfo {
  readonly authScheme: string;
  readonly user: string;
}

/** Reads a ClientInfo. Throws JuteError when the bytes are not one. */
export function readClientInfo(reader: JuteReader): ClientInfo {
  const authScheme = reader.readString();
  const user = reader.readString();
  return { authScheme, user };
}

/** Writes a ClientInfo. */
export function writeClientInfo(writer: JuteWriter, value: ClientInfo): void {
  writer.writeString(value.authScheme);
  writer.writeString(value.user);
}

/** SetWatches: relativeZxid loose, dataWatches ustring[], existWatches ustring[], childWatches ustring[]. */
export interface SetWatches {
  readonly relativeZxid: number;
  readonly dataWatches: readonly string[] | null;
  readonly existWatches: readonly string[] | null;
  readonly childWatches: readonly string[] | null;
}

/** Reads a SetWatches. Throws JuteError when the bytes are not one. */
export function readSetWatches(reader: JuteReader): SetWatches {
  const relativeZxid = reader.readLongAsDouble();
  const dataWatchesCount = reader.readVectorCount(4);
  const dataWatches: string[] | null = dataWatchesCount === -1 ? null : [];
  for (let i = 0; i < dataWatchesCount; i++) dataWatches?.push(reader.readString());
  const existWatchesCount = reader.readVectorCount(4);
  const existWatches: string[] | null = existWatchesCount === -1 ? null : [];
  for (let i = 0; i < existWatchesCount; i++) existWatches?.push(reader.readString());
  const childWatchesCount = reader.readVectorCount(4);
  const childWatches: string[] | null = childWatchesCount === -1 ? null : [];
  for (let i = 0; i < childWatchesCount; i++) childWatches?.push(reader.readString());
  return { relativeZxid, dataWatches, existWatches, childWatches };
}

/** Writes a SetWatches. */
export function writeSetWatches(writer: JuteWriter, value: SetWatches): void {
  writer.writeLongFromDouble(value.relativeZxid);
  writer.writeInt(value.dataWatches === null ? -1 : value.dataWatches.length);
  if (value.dataWatches !== null) {
    for (const item of value.dataWatches) writer.writeString(item);
  }
  writer.writeInt(value.existWatches === null ? -1 : value.existWatches.length);
  if (value.existWatches !== null) {
    for (const item of value.existWatches) writer.writeString(item);
  }
  writer.writeInt(value.childWatches === null ? -1 : value.childWatches.length);
  if (value.childWatches !== null) {
    for (const item of value.childWatches) writer.writeString(item);
  }
}

/** SetWatches2: relativeZxid loose, dataWatches ustring[], existWatches ustring[], childWatches ustring[], persistentWatches ustring[], persistentRecursiveWatches ustring[]. */
export interface SetWatches2 {
  readonly relativeZxid: number;
  readonly dataWatches: readonly string[] | null;
  readonly existWatches: readonly string[] | null;
  readonly childWatches: readonly string[] | null;
  readonly persistentWatches: readonly string[] | null;
  readonly persistentRecursiveWatches: readonly string[] | null;
}

/** Reads a SetWatches2. Throws JuteError when the bytes are not one. */
export function readSetWatches2(reader: JuteReader): SetWatches2 {
  const relativeZxid = reader.readLongAsDouble();
  const dataWatchesCount = reader.readVectorCount(4);
  const dataWatches: string[] | null = dataWatchesCount === -1 ? null : [];
  for (let i = 0; i < dataWatchesCount; i++) dataWatches?.push(reader.readString());
  const existWatchesCount = reader.readVectorCount(4);
  const existWatches: string[] | null = existWatchesCount === -1 ? null : [];
  for (let i = 0; i < existWatchesCount; i++) existWatches?.push(reader.readString());
  const childWatchesCount = reader.readVectorCount(4);
  const childWatches: string[] | null = childWatchesCount === -1 ? null : [];
  for (let i = 0; i < childWatchesCount; i++) childWatches?.push(reader.readString());
  const persistentWatchesCount = reader.readVectorCount(4);
  const persistentWatches: string[] | null = persistentWatchesCount === -1 ? null : [];
  for (let i = 0; i < persistentWatchesCount; i++) persistentWatches?.push(reader.readString());
  const persistentRecursiveWatchesCount = reader.readVectorCount(4);
  const persistentRecursiveWatches: string[] | null = persistentRecursiveWatchesCount === -1 ? null : [];
  for (let i = 0; i < persistentRecursiveWatchesCount; i++) persistentRecursiveWatches?.push(reader.readString());
  return { relativeZxid, dataWatches, existWatches, childWatches, persistentWatches, persistentRecursiveWatches };
}

/** Writes a SetWatches2. */
export function writeSetWatches2(writer: JuteWriter, value: SetWatches2): void {
  writer.writeLongFromDouble(value.relativeZxid);
  writer.writeInt(value.dataWatches === null ? -1 : value.dataWatches.length);
  if (value.dataWatches !== null) {
    for (const item of value.dataWatches) writer.writeString(item);
  }
  writer.writeInt(value.existWatches === null ? -1 : value.existWatches.length);
  if (value.existWatches !== null) {
    for (const item of value.existWatches) writer.writeString(item);
  }
  writer.writeInt(value.childWatches === null ? -1 : value.childWatches.length);
  if (value.childWatches !== null) {
    for (const item of value.childWatches) writer.writeString(item);
  }
  writer.writeInt(value.persistentWatches === null ? -1 : value.persistentWatches.length);
  if (value.persistentWatches !== null) {
    for (const item of value.persistentWatches) writer.writeString(item);
  }
  writer.writeInt(value.persistentRecursiveWatches === null ? -1 : value.persistentRecursiveWatches.length);
  if (value.persistentRecursiveWatches !== null) {
    for (const item of value.persistentRecursiveWatches) writer.writeString(item);
  }
}

/** RequestHeader: xid int, type int. */
export interface RequestHeader {
  readonly xid: number;
  readonly type: number;
}

/** Reads a RequestHeader. Throws JuteError when the bytes are not one. */
export function readRequestHeader(reader: JuteReader): RequestHeader {
  const xid = reader.readInt();
  const type = reader.readInt();
  return { xid, type };
}

/** Writes a RequestHeader. */
export function writeRequestHeader(writer: JuteWriter, value: RequestHeader): void {
  writer.writeInt(value.xid);
  writer.writeInt(value.type);
}

/** MultiHeader: type int, done boolean, err int. */
export interface MultiHeader {
  readonly type: number;
  readonly done: boolean;
  readonly err: number;
}

/** Reads a MultiHeader. Throws JuteError when the bytes are not one. */
export function readMultiHeader(reader: JuteReader): MultiHeader {
  const type = reader.readInt();
  const done = reader.readBoolean();
  const err = reader.readInt();
  return { type, done, err };
}

/** Writes a MultiHeader. */
export function writeMultiHeader(writer: JuteWriter, value: MultiHeader): void {
  writer.writeInt(value.type);
  writer.writeBoolean(value.done);
  writer.writeInt(value.err);
}

/** AuthPacket: type int, scheme ustring, auth buffer. */
export interface AuthPacket {
  readonly type: number;
  readonly scheme: string;
  readonly auth: Uint8Array | null;
}

/** Reads a AuthPacket. Throws JuteError when the bytes are not one. */
export function readAuthPacket(reader: JuteReader): AuthPacket {
  const type = reader.readInt();
  const scheme = reader.readString();
  const auth = reader.readBuffer();
  return { type, scheme, auth };
}

/** Writes a AuthPacket. */
export function writeAuthPacket(writer: JuteWriter, value: AuthPacket): void {
  writer.writeInt(value.type);
  writer.writeString(value.scheme);
  writer.writeBuffer(value.auth);
}

/** ReplyHeader: xid int, zxid zxid, err int. */
export interface ReplyHeader {
  readonly xid: number;
  readonly zxid: Zxid;
  readonly err: number;
}

/** Reads a ReplyHeader. Throws JuteError when the bytes are not one. */
export function readReplyHeader(reader: JuteReader): ReplyHeader {
  const xid = reader.readInt();
  const zxid = reader.readSafeLong() as Zxid;
  const err = reader.readInt();
  return { xid, zxid, err };
}

/** Writes a ReplyHeader. */
export function writeReplyHeader(writer: JuteWriter, value: ReplyHeader): void {
  writer.writeInt(value.xid);
  writer.writeLongFromDouble(value.zxid);
  writer.writeInt(value.err);
}

/** GetDataRequest: path ustring, watch boolean. */
export interface GetDataRequest {
  readonly path: string;
  readonly watch: boolean;
}

/** Reads a GetDataRequest. Throws JuteError when the bytes are not one. */
export function readGetDataRequest(reader: JuteReader): GetDataRequest {
  const path = reader.readString();
  const watch = reader.readBoolean();
  return { path, watch };
}

/** Writes a GetDataRequest. */
export function writeGetDataRequest(writer: JuteWriter, value: GetDataRequest): void {
  writer.writeString(value.path);
  writer.writeBoolean(value.watch);
}

/** SetDataRequest: path ustring, data buffer, version int. */
export interface SetDataRequest {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly version: number;
}

/** Reads a SetDataRequest. Throws JuteError when the bytes are not one. */
export function readSetDataRequest(reader: JuteReader): SetDataRequest {
  const path = reader.readString();
  const data = reader.readBuffer();
  const version = reader.readInt();
  return { path, data, version };
}

/** Writes a SetDataRequest. */
export function writeSetDataRequest(writer: JuteWriter, value: SetDataRequest): void {
  writer.writeString(value.path);
  writer.writeBuffer(value.data);
  writer.writeInt(value.version);
}

/** ReconfigRequest: joiningServers ustring?, leavingServers ustring?, newMembers ustring?, curConfigId loose. */
export interface ReconfigRequest {
  readonly joiningServers: string | null;
  readonly leavingServers: string | null;
  readonly newMembers: string | null;
  readonly curConfigId: number;
}

/** Reads a ReconfigRequest. Throws JuteError when the bytes are not one. */
export function readReconfigRequest(reader: JuteReader): ReconfigRequest {
  const joiningServers = reader.readNullableString();
  const leavingServers = reader.readNullableString();
  const newMembers = reader.readNullableString();
  const curConfigId = reader.readLongAsDouble();
  return { joiningServers, leavingServers, newMembers, curConfigId };
}

/** Writes a ReconfigRequest. */
export function writeReconfigRequest(writer: JuteWriter, value: ReconfigRequest): void {
  writer.writeString(value.joiningServers);
  writer.writeString(value.leavingServers);
  writer.writeString(value.newMembers);
  writer.writeLongFromDouble(value.curConfigId);
}

/** SetDataResponse: stat Stat. */
export interface SetDataResponse {
  readonly stat: Stat;
}

/** Reads a SetDataResponse. Throws JuteError when the bytes are not one. */
export function readSetDataResponse(reader: JuteReader): SetDataResponse {
  const stat = readStat(reader);
  return { stat };
}

/** Writes a SetDataResponse. */
export function writeSetDataResponse(writer: JuteWriter, value: SetDataResponse): void {
  writeStat(writer, value.stat);
}

/** GetSASLRequest: token buffer. */
export interface GetSASLRequest {
  readonly token: Uint8Array | null;
}

/** Reads a GetSASLRequest. Throws JuteError when the bytes are not one. */
export function readGetSASLRequest(reader: JuteReader): GetSASLRequest {
  const token = reader.readBuffer();
  return { token };
}

/** Writes a GetSASLRequest. */
export function writeGetSASLRequest(writer: JuteWriter, value: GetSASLRequest): void {
  writer.writeBuffer(value.token);
}

/** SetSASLResponse: token buffer. */
export interface SetSASLResponse {
  readonly token: Uint8Array | null;
}

/** Reads a SetSASLResponse. Throws JuteError when the bytes are not one. */
export function readSetSASLResponse(reader: JuteReader): SetSASLResponse {
  const token = reader.readBuffer();
  return { token };
}

/** Writes a SetSASLResponse. */
export function writeSetSASLResponse(writer: JuteWriter, value: SetSASLResponse): void {
  writer.writeBuffer(value.token);
}

/** CreateRequest: path ustring, data buffer, acl Acl[], flags int. */
export interface CreateRequest {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[] | null;
  readonly flags: number;
}

/** Reads a CreateRequest. Throws JuteError when the bytes are not one. */
export function readCreateRequest(reader: JuteReader): CreateRequest {
  const path = reader.readString();
  const data = reader.readBuffer();
  const aclCount = reader.readVectorCount(12);
  const acl: Acl[] | null = aclCount === -1 ? null : [];
  for (let i = 0; i < aclCount; i++) acl?.push(readAcl(reader));
  const flags = reader.readInt();
  return { path, data, acl, flags };
}

/** Writes a CreateRequest. */
export function writeCreateRequest(writer: JuteWriter, value: CreateRequest): void {
  writer.writeString(value.path);
  writer.writeBuffer(value.data);
  writer.writeInt(value.acl === null ? -1 : value.acl.length);
  if (value.acl !== null) {
    for (const item of value.acl) writeAcl(writer, item);
  }
  writer.writeInt(value.flags);
}

/** CreateTTLRequest: path ustring, data buffer, acl Acl[], flags int, ttl long. */
export interface CreateTTLRequest {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[] | null;
  readonly flags: number;
  readonly ttlHi: number;
  readonly ttlLo: number;
}

/** Reads a CreateTTLRequest. Throws JuteError when the bytes are not one. */
export function readCreateTTLRequest(reader: JuteReader): CreateTTLRequest {
  const path = reader.readString();
  const data = reader.readBuffer();
  const aclCount = reader.readVectorCount(12);
  const acl: Acl[] | null = aclCount === -1 ? null : [];
  for (let i = 0; i < aclCount; i++) acl?.push(readAcl(reader));
  const flags = reader.readInt();
  const ttlHi = reader.readInt();
  const ttlLo = reader.readInt();
  return { path, data, acl, flags, ttlHi, ttlLo };
}

/** Writes a CreateTTLRequest. */
export function writeCreateTTLRequest(writer: JuteWriter, value: CreateTTLRequest): void {
  writer.writeString(value.path);
  writer.writeBuffer(value.data);
  writer.writeInt(value.acl === null ? -1 : value.acl.length);
  if (value.acl !== null) {
    for (const item of value.acl) writeAcl(writer, item);
  }
  writer.writeInt(value.flags);
  writer.writeLong(value.ttlHi, value.ttlLo);
}

/** DeleteRequest: path ustring, version int. */
export interface DeleteRequest {
  readonly path: string;
  readonly version: number;
}

/** Reads a DeleteRequest. Throws JuteError when the bytes are not one. */
export function readDeleteRequest(reader: JuteReader): DeleteRequest {
  const path = reader.readString();
  const version = reader.readInt();
  return { path, version };
}

/** Writes a DeleteRequest. */
export function writeDeleteRequest(writer: JuteWriter, value: DeleteRequest): void {
  writer.writeString(value.path);
  writer.writeInt(value.version);
}

/** DeleteContainerRequest: path ustring. */
export interface DeleteContainerRequest {
  readonly path: string;
}

/** Reads a DeleteContainerRequest. Throws JuteError when the bytes are not one. */
export function readDeleteContainerRequest(reader: JuteReader): DeleteContainerRequest {
  const path = reader.readString();
  return { path };
}

/** Writes a DeleteContainerRequest. */
export function writeDeleteContainerRequest(writer: JuteWriter, value: DeleteContainerRequest): void {
  writer.writeString(value.path);
}

/** GetChildrenRequest: path ustring, watch boolean. */
export interface GetChildrenRequest {
  readonly path: string;
  readonly watch: boolean;
}

/** Reads a GetChildrenRequest. Throws JuteError when the bytes are not one. */
export function readGetChildrenRequest(reader: JuteReader): GetChildrenRequest {
  const path = reader.readString();
  const watch = reader.readBoolean();
  return { path, watch };
}

/** Writes a GetChildrenRequest. */
export function writeGetChildrenRequest(writer: JuteWriter, value: GetChildrenRequest): void {
  writer.writeString(value.path);
  writer.writeBoolean(value.watch);
}

/** GetAllChildrenNumberRequest: path ustring. */
export interface GetAllChildrenNumberRequest {
  readonly path: string;
}

/** Reads a GetAllChildrenNumberRequest. Throws JuteError when the bytes are not one. */
export function readGetAllChildrenNumberRequest(reader: JuteReader): GetAllChildrenNumberRequest {
  const path = reader.readString();
  return { path };
}

/** Writes a GetAllChildrenNumberRequest. */
export function writeGetAllChildrenNumberRequest(writer: JuteWriter, value: GetAllChildrenNumberRequest): void {
  writer.writeString(value.path);
}

/** GetChildren2Request: path ustring, watch boolean. */
export interface GetChildren2Request {
  readonly path: string;
  readonly watch: boolean;
}

/** Reads a GetChildren2Request. Throws JuteError when the bytes are not one. */
export function readGetChildren2Request(reader: JuteReader): GetChildren2Request {
  const path = reader.readString();
  const watch = reader.readBoolean();
  return { path, watch };
}

/** Writes a GetChildren2Request. */
export function writeGetChildren2Request(writer: JuteWriter, value: GetChildren2Request): void {
  writer.writeString(value.path);
  writer.writeBoolean(value.watch);
}

/** CheckVersionRequest: path ustring, version int. */
export interface CheckVersionRequest {
  readonly path: string;
  readonly version: number;
}

/** Reads a CheckVersionRequest. Throws JuteError when the bytes are not one. */
export function readCheckVersionRequest(reader: JuteReader): CheckVersionRequest {
  const path = reader.readString();
  const version = reader.readInt();
  return { path, version };
}

/** Writes a CheckVersionRequest. */
export function writeCheckVersionRequest(writer: JuteWriter, value: CheckVersionRequest): void {
  writer.writeString(value.path);
  writer.writeInt(value.version);
}

/** SyncRequest: path ustring. */
export interface SyncRequest {
  readonly path: string;
}

/** Reads a SyncRequest. Throws JuteError when the bytes are not one. */
export function readSyncRequest(reader: JuteReader): SyncRequest {
  const path = reader.readString();
  return { path };
}

/** Writes a SyncRequest. */
export function writeSyncRequest(writer: JuteWriter, value: SyncRequest): void {
  writer.writeString(value.path);
}

/** SyncResponse: path ustring. */
export interface SyncResponse {
  readonly path: string;
}

/** Reads a SyncResponse. Throws JuteError when the bytes are not one. */
export function readSyncResponse(reader: JuteReader): SyncResponse {
  const path = reader.readString();
  return { path };
}

/** Writes a SyncResponse. */
export function writeSyncResponse(writer: JuteWriter, value: SyncResponse): void {
  writer.writeString(value.path);
}

/** GetACLRequest: path ustring. */
export interface GetACLRequest {
  readonly path: string;
}

/** Reads a GetACLRequest. Throws JuteError when the bytes are not one. */
export function readGetACLRequest(reader: JuteReader): GetACLRequest {
  const path = reader.readString();
  return { path };
}

/** Writes a GetACLRequest. */
export function writeGetACLRequest(writer: JuteWriter, value: GetACLRequest): void {
  writer.writeString(value.path);
}

/** SetACLRequest: path ustring, acl Acl[], version int. */
export interface SetACLRequest {
  readonly path: string;
  readonly acl: readonly Acl[] | null;
  readonly version: number;
}

/** Reads a SetACLRequest. Throws JuteError when the bytes are not one. */
export function readSetACLRequest(reader: JuteReader): SetACLRequest {
  const path = reader.readString();
  const aclCount = reader.readVectorCount(12);
  const acl: Acl[] | null = aclCount === -1 ? null : [];
  for (let i = 0; i < aclCount; i++) acl?.push(readAcl(reader));
  const version = reader.readInt();
  return { path, acl, version };
}

/** Writes a SetACLRequest. */
export function writeSetACLRequest(writer: JuteWriter, value: SetACLRequest): void {
  writer.writeString(value.path);
  writer.writeInt(value.acl === null ? -1 : value.acl.length);
  if (value.acl !== null) {
    for (const item of value.acl) writeAcl(writer, item);
  }
  writer.writeInt(value.version);
}

/** SetACLResponse: stat Stat. */
export interface SetACLResponse {
  readonly stat: Stat;
}

/** Reads a SetACLResponse. Throws JuteError when the bytes are not one. */
export function readSetACLResponse(reader: JuteReader): SetACLResponse {
  const stat = readStat(reader);
  return { stat };
}

/** Writes a SetACLResponse. */
export function writeSetACLResponse(writer: JuteWriter, value: SetACLResponse): void {
  writeStat(writer, value.stat);
}

/** AddWatchRequest: path ustring, mode int. */
export interface AddWatchRequest {
  readonly path: string;
  readonly mode: number;
}

/** Reads a AddWatchRequest. Throws JuteError when the bytes are not one. */
export function readAddWatchRequest(reader: JuteReader): AddWatchRequest {
  const path = reader.readString();
  const mode = reader.readInt();
  return { path, mode };
}

/** Writes a AddWatchRequest. */
export function writeAddWatchRequest(writer: JuteWriter, value: AddWatchRequest): void {
  writer.writeString(value.path);
  writer.writeInt(value.mode);
}

/** WatcherEvent: type int, state int, path ustring. */
export interface WatcherEvent {
  readonly type: number;
  readonly state: number;
  readonly path: string;
}

/** Reads a WatcherEvent. Throws JuteError when the bytes are not one. */
export function readWatcherEvent(reader: JuteReader): WatcherEvent {
  const type = reader.readInt();
  const state = reader.readInt();
  const path = reader.readString();
  return { type, state, path };
}

/** Writes a WatcherEvent. */
export function writeWatcherEvent(writer: JuteWriter, value: WatcherEvent): void {
  writer.writeInt(value.type);
  writer.writeInt(value.state);
  writer.writeString(value.path);
}

/** ErrorResponse: err int. */
export interface ErrorResponse {
  readonly err: number;
}

/** Reads a ErrorResponse. Throws JuteError when the bytes are not one. */
export function readErrorResponse(reader: JuteReader): ErrorResponse {
  const err = reader.readInt();
  return { err };
}

/** Writes a ErrorResponse. */
export function writeErrorResponse(writer: JuteWriter, value: ErrorResponse): void {
  writer.writeInt(value.err);
}

/** CreateResponse: path ustring. */
export interface CreateResponse {
  readonly path: string;
}

/** Reads a CreateResponse. Throws JuteError when the bytes are not one. */
export function readCreateResponse(reader: JuteReader): CreateResponse {
  const path = reader.readString();
  return { path };
}

/** Writes a CreateResponse. */
export function writeCreateResponse(writer: JuteWriter, value: CreateResponse): void {
  writer.writeString(value.path);
}

/** Create2Response: path ustring, stat Stat. */
export interface Create2Response {
  readonly path: string;
  readonly stat: Stat;
}

/** Reads a Create2Response. Throws JuteError when the bytes are not one. */
export function readCreate2Response(reader: JuteReader): Create2Response {
  const path = reader.readString();
  const stat = readStat(reader);
  return { path, stat };
}

/** Writes a Create2Response. */
export function writeCreate2Response(writer: JuteWriter, value: Create2Response): void {
  writer.writeString(value.path);
  writeStat(writer, value.stat);
}

/** ExistsRequest: path ustring, watch boolean. */
export interface ExistsRequest {
  readonly path: string;
  readonly watch: boolean;
}

/** Reads a ExistsRequest. Throws JuteError when the bytes are not one. */
export function readExistsRequest(reader: JuteReader): ExistsRequest {
  const path = reader.readString();
  const watch = reader.readBoolean();
  return { path, watch };
}

/** Writes a ExistsRequest. */
export function writeExistsRequest(writer: JuteWriter, value: ExistsRequest): void {
  writer.writeString(value.path);
  writer.writeBoolean(value.watch);
}

/** ExistsResponse: stat Stat. */
export interface ExistsResponse {
  readonly stat: Stat;
}

/** Reads a ExistsResponse. Throws JuteError when the bytes are not one. */
export function readExistsResponse(reader: JuteReader): ExistsResponse {
  const stat = readStat(reader);
  return { stat };
}

/** Writes a ExistsResponse. */
export function writeExistsResponse(writer: JuteWriter, value: ExistsResponse): void {
  writeStat(writer, value.stat);
}

/** GetDataResponse: data buffer, stat Stat. */
export interface GetDataResponse {
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

/** Reads a GetDataResponse. Throws JuteError when the bytes are not one. */
export function readGetDataResponse(reader: JuteReader): GetDataResponse {
  const data = reader.readBuffer();
  const stat = readStat(reader);
  return { data, stat };
}

/** Writes a GetDataResponse. */
export function writeGetDataResponse(writer: JuteWriter, value: GetDataResponse): void {
  writer.writeBuffer(value.data);
  writeStat(writer, value.stat);
}

/** GetChildrenResponse: children ustring[]. */
export interface GetChildrenResponse {
  readonly children: readonly string[] | null;
}

/** Reads a GetChildrenResponse. Throws JuteError when the bytes are not one. */
export function readGetChildrenResponse(reader: JuteReader): GetChildrenResponse {
  const childrenCount = reader.readVectorCount(4);
  const children: string[] | null = childrenCount === -1 ? null : [];
  for (let i = 0; i < childrenCount; i++) children?.push(reader.readString());
  return { children };
}

/** Writes a GetChildrenResponse. */
export function writeGetChildrenResponse(writer: JuteWriter, value: GetChildrenResponse): void {
  writer.writeInt(value.children === null ? -1 : value.children.length);
  if (value.children !== null) {
    for (const item of value.children) writer.writeString(item);
  }
}

/** GetAllChildrenNumberResponse: totalNumber int. */
export interface GetAllChildrenNumberResponse {
  readonly totalNumber: number;
}

/** Reads a GetAllChildrenNumberResponse. Throws JuteError when the bytes are not one. */
export function readGetAllChildrenNumberResponse(reader: JuteReader): GetAllChildrenNumberResponse {
  const totalNumber = reader.readInt();
  return { totalNumber };
}

/** Writes a GetAllChildrenNumberResponse. */
export function writeGetAllChildrenNumberResponse(writer: JuteWriter, value: GetAllChildrenNumberResponse): void {
  writer.writeInt(value.totalNumber);
}

/** GetChildren2Response: children ustring[], stat Stat. */
export interface GetChildren2Response {
  readonly children: readonly string[] | null;
  readonly stat: Stat;
}

/** Reads a GetChildren2Response. Throws JuteError when the bytes are not one. */
export function readGetChildren2Response(reader: JuteReader): GetChildren2Response {
  const childrenCount = reader.readVectorCount(4);
  const children: string[] | null = childrenCount === -1 ? null : [];
  for (let i = 0; i < childrenCount; i++) children?.push(reader.readString());
  const stat = readStat(reader);
  return { children, stat };
}

/** Writes a GetChildren2Response. */
export function writeGetChildren2Response(writer: JuteWriter, value: GetChildren2Response): void {
  writer.writeInt(value.children === null ? -1 : value.children.length);
  if (value.children !== null) {
    for (const item of value.children) writer.writeString(item);
  }
  writeStat(writer, value.stat);
}

/** GetACLResponse: acl Acl[], stat Stat. */
export interface GetACLResponse {
  readonly acl: readonly Acl[] | null;
  readonly stat: Stat;
}

/** Reads a GetACLResponse. Throws JuteError when the bytes are not one. */
export function readGetACLResponse(reader: JuteReader): GetACLResponse {
  const aclCount = reader.readVectorCount(12);
  const acl: Acl[] | null = aclCount === -1 ? null : [];
  for (let i = 0; i < aclCount; i++) acl?.push(readAcl(reader));
  const stat = readStat(reader);
  return { acl, stat };
}

/** Writes a GetACLResponse. */
export function writeGetACLResponse(writer: JuteWriter, value: GetACLResponse): void {
  writer.writeInt(value.acl === null ? -1 : value.acl.length);
  if (value.acl !== null) {
    for (const item of value.acl) writeAcl(writer, item);
  }
  writeStat(writer, value.stat);
}

/** CheckWatchesRequest: path ustring, type int. */
export interface CheckWatchesRequest {
  readonly path: string;
  readonly type: number;
}

/** Reads a CheckWatchesRequest. Throws JuteError when the bytes are not one. */
export function readCheckWatchesRequest(reader: JuteReader): CheckWatchesRequest {
  const path = reader.readString();
  const type = reader.readInt();
  return { path, type };
}

/** Writes a CheckWatchesRequest. */
export function writeCheckWatchesRequest(writer: JuteWriter, value: CheckWatchesRequest): void {
  writer.writeString(value.path);
  writer.writeInt(value.type);
}

/** RemoveWatchesRequest: path ustring, type int. */
export interface RemoveWatchesRequest {
  readonly path: string;
  readonly type: number;
}

/** Reads a RemoveWatchesRequest. Throws JuteError when the bytes are not one. */
export function readRemoveWatchesRequest(reader: JuteReader): RemoveWatchesRequest {
  const path = reader.readString();
  const type = reader.readInt();
  return { path, type };
}

/** Writes a RemoveWatchesRequest. */
export function writeRemoveWatchesRequest(writer: JuteWriter, value: RemoveWatchesRequest): void {
  writer.writeString(value.path);
  writer.writeInt(value.type);
}

/** GetEphemeralsRequest: prefixPath ustring. */
export interface GetEphemeralsRequest {
  readonly prefixPath: string;
}

/** Reads a GetEphemeralsRequest. Throws JuteError when the bytes are not one. */
export function readGetEphemeralsRequest(reader: JuteReader): GetEphemeralsRequest {
  const prefixPath = reader.readString();
  return { prefixPath };
}

/** Writes a GetEphemeralsRequest. */
export function writeGetEphemeralsRequest(writer: JuteWriter, value: GetEphemeralsRequest): void {
  writer.writeString(value.prefixPath);
}

/** GetEphemeralsResponse: ephemerals ustring[]. */
export interface GetEphemeralsResponse {
  readonly ephemerals: readonly string[] | null;
}

/** Reads a GetEphemeralsResponse. Throws JuteError when the bytes are not one. */
export function readGetEphemeralsResponse(reader: JuteReader): GetEphemeralsResponse {
  const ephemeralsCount = reader.readVectorCount(4);
  const ephemerals: string[] | null = ephemeralsCount === -1 ? null : [];
  for (let i = 0; i < ephemeralsCount; i++) ephemerals?.push(reader.readString());
  return { ephemerals };
}

/** Writes a GetEphemeralsResponse. */
export function writeGetEphemeralsResponse(writer: JuteWriter, value: GetEphemeralsResponse): void {
  writer.writeInt(value.ephemerals === null ? -1 : value.ephemerals.length);
  if (value.ephemerals !== null) {
    for (const item of value.ephemerals) writer.writeString(item);
  }
}

/** WhoAmIResponse: clientInfo ClientInfo[]. */
export interface WhoAmIResponse {
  readonly clientInfo: readonly ClientInfo[] | null;
}

/** Reads a WhoAmIResponse. Throws JuteError when the bytes are not one. */
export function readWhoAmIResponse(reader: JuteReader): WhoAmIResponse {
  const clientInfoCount = reader.readVectorCount(8);
  const clientInfo: ClientInfo[] | null = clientInfoCount === -1 ? null : [];
  for (let i = 0; i < clientInfoCount; i++) clientInfo?.push(readClientInfo(reader));
  return { clientInfo };
}

/** Writes a WhoAmIResponse. */
export function writeWhoAmIResponse(writer: JuteWriter, value: WhoAmIResponse): void {
  writer.writeInt(value.clientInfo === null ? -1 : value.clientInfo.length);
  if (value.clientInfo !== null) {
    for (const item of value.clientInfo) writeClientInfo(writer, item);
  }
}

/** LearnerInfo: serverid long, protocolVersion int, configVersion zxid. */
export interface LearnerInfo {
  readonly serveridHi: number;
  readonly serveridLo: number;
  readonly protocolVersion: number;
  readonly configVersion: Zxid;
}

/** Reads a LearnerInfo. Throws JuteError when the bytes are not one. */
export function readLearnerInfo(reader: JuteReader): LearnerInfo {
  const serveridHi = reader.readInt();
  const serveridLo = reader.readInt();
  const protocolVersion = reader.readInt();
  const configVersion = reader.readSafeLong() as Zxid;
  return { serveridHi, serveridLo, protocolVersion, configVersion };
}

/** Writes a LearnerInfo. */
export function writeLearnerInfo(writer: JuteWriter, value: LearnerInfo): void {
  writer.writeLong(value.serveridHi, value.serveridLo);
  writer.writeInt(value.protocolVersion);
  writer.writeLongFromDouble(value.configVersion);
}

/** QuorumPacket: type int, zxid zxid, data buffer, authinfo Id[]. */
export interface QuorumPacket {
  readonly type: number;
  readonly zxid: Zxid;
  readonly data: Uint8Array | null;
  readonly authinfo: readonly Id[] | null;
}

/** Reads a QuorumPacket. Throws JuteError when the bytes are not one. */
export function readQuorumPacket(reader: JuteReader): QuorumPacket {
  const type = reader.readInt();
  const zxid = reader.readSafeLong() as Zxid;
  const data = reader.readBuffer();
  const authinfoCount = reader.readVectorCount(8);
  const authinfo: Id[] | null = authinfoCount === -1 ? null : [];
  for (let i = 0; i < authinfoCount; i++) authinfo?.push(readId(reader));
  return { type, zxid, data, authinfo };
}

/** Writes a QuorumPacket. */
export function writeQuorumPacket(writer: JuteWriter, value: QuorumPacket): void {
  writer.writeInt(value.type);
  writer.writeLongFromDouble(value.zxid);
  writer.writeBuffer(value.data);
  writer.writeInt(value.authinfo === null ? -1 : value.authinfo.length);
  if (value.authinfo !== null) {
    for (const item of value.authinfo) writeId(writer, item);
  }
}

/** QuorumAuthPacket: magic long, status int, token buffer. */
export interface QuorumAuthPacket {
  readonly magicHi: number;
  readonly magicLo: number;
  readonly status: number;
  readonly token: Uint8Array | null;
}

/** Reads a QuorumAuthPacket. Throws JuteError when the bytes are not one. */
export function readQuorumAuthPacket(reader: JuteReader): QuorumAuthPacket {
  const magicHi = reader.readInt();
  const magicLo = reader.readInt();
  const status = reader.readInt();
  const token = reader.readBuffer();
  return { magicHi, magicLo, status, token };
}

/** Writes a QuorumAuthPacket. */
export function writeQuorumAuthPacket(writer: JuteWriter, value: QuorumAuthPacket): void {
  writer.writeLong(value.magicHi, value.magicLo);
  writer.writeInt(value.status);
  writer.writeBuffer(value.token);
}

/** FileHeader: magic int, version int, dbid long. */
export interface FileHeader {
  readonly magic: number;
  readonly version: number;
  readonly dbidHi: number;
  readonly dbidLo: number;
}

/** Reads a FileHeader. Throws JuteError when the bytes are not one. */
export function readFileHeader(reader: JuteReader): FileHeader {
  const magic = reader.readInt();
  const version = reader.readInt();
  const dbidHi = reader.readInt();
  const dbidLo = reader.readInt();
  return { magic, version, dbidHi, dbidLo };
}

/** Writes a FileHeader. */
export function writeFileHeader(writer: JuteWriter, value: FileHeader): void {
  writer.writeInt(value.magic);
  writer.writeInt(value.version);
  writer.writeLong(value.dbidHi, value.dbidLo);
}

/** TxnDigest: version int, treeDigest long. */
export interface TxnDigest {
  readonly version: number;
  readonly treeDigestHi: number;
  readonly treeDigestLo: number;
}

/** Reads a TxnDigest. Throws JuteError when the bytes are not one. */
export function readTxnDigest(reader: JuteReader): TxnDigest {
  const version = reader.readInt();
  const treeDigestHi = reader.readInt();
  const treeDigestLo = reader.readInt();
  return { version, treeDigestHi, treeDigestLo };
}

/** Writes a TxnDigest. */
export function writeTxnDigest(writer: JuteWriter, value: TxnDigest): void {
  writer.writeInt(value.version);
  writer.writeLong(value.treeDigestHi, value.treeDigestLo);
}

/** TxnHeader: clientId long, cxid int, zxid zxid, time time, type int. */
export interface TxnHeader {
  readonly clientIdHi: number;
  readonly clientIdLo: number;
  readonly cxid: number;
  readonly zxid: Zxid;
  readonly time: number;
  readonly type: number;
}

/** Reads a TxnHeader. Throws JuteError when the bytes are not one. */
export function readTxnHeader(reader: JuteReader): TxnHeader {
  const clientIdHi = reader.readInt();
  const clientIdLo = reader.readInt();
  const cxid = reader.readInt();
  const zxid = reader.readSafeLong() as Zxid;
  const time = reader.readSafeLong();
  const type = reader.readInt();
  return { clientIdHi, clientIdLo, cxid, zxid, time, type };
}

/** Writes a TxnHeader. */
export function writeTxnHeader(writer: JuteWriter, value: TxnHeader): void {
  writer.writeLong(value.clientIdHi, value.clientIdLo);
  writer.writeInt(value.cxid);
  writer.writeLongFromDouble(value.zxid);
  writer.writeLongFromDouble(value.time);
  writer.writeInt(value.type);
}

/** CreateTxnV0: path ustring, data buffer, acl Acl[], ephemeral boolean. */
export interface CreateTxnV0 {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[] | null;
  readonly ephemeral: boolean;
}

/** Reads a CreateTxnV0. Throws JuteError when the bytes are not one. */
export function readCreateTxnV0(reader: JuteReader): CreateTxnV0 {
  const path = reader.readString();
  const data = reader.readBuffer();
  const aclCount = reader.readVectorCount(12);
  const acl: Acl[] | null = aclCount === -1 ? null : [];
  for (let i = 0; i < aclCount; i++) acl?.push(readAcl(reader));
  const ephemeral = reader.readBoolean();
  return { path, data, acl, ephemeral };
}

/** Writes a CreateTxnV0. */
export function writeCreateTxnV0(writer: JuteWriter, value: CreateTxnV0): void {
  writer.writeString(value.path);
  writer.writeBuffer(value.data);
  writer.writeInt(value.acl === null ? -1 : value.acl.length);
  if (value.acl !== null) {
    for (const item of value.acl) writeAcl(writer, item);
  }
  writer.writeBoolean(value.ephemeral);
}

/** CreateTxn: path ustring, data buffer, acl Acl[], ephemeral boolean, parentCVersion int. */
export interface CreateTxn {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[] | null;
  readonly ephemeral: boolean;
  readonly parentCVersion: number;
}

/** Reads a CreateTxn. Throws JuteError when the bytes are not one. */
export function readCreateTxn(reader: JuteReader): CreateTxn {
  const path = reader.readString();
  const data = reader.readBuffer();
  const aclCount = reader.readVectorCount(12);
  const acl: Acl[] | null = aclCount === -1 ? null : [];
  for (let i = 0; i < aclCount; i++) acl?.push(readAcl(reader));
  const ephemeral = reader.readBoolean();
  const parentCVersion = reader.readInt();
  return { path, data, acl, ephemeral, parentCVersion };
}

/** Writes a CreateTxn. */
export function writeCreateTxn(writer: JuteWriter, value: CreateTxn): void {
  writer.writeString(value.path);
  writer.writeBuffer(value.data);
  writer.writeInt(value.acl === null ? -1 : value.acl.length);
  if (value.acl !== null) {
    for (const item of value.acl) writeAcl(writer, item);
  }
  writer.writeBoolean(value.ephemeral);
  writer.writeInt(value.parentCVersion);
}

/** CreateTTLTxn: path ustring, data buffer, acl Acl[], parentCVersion int, ttl long. */
export interface CreateTTLTxn {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[] | null;
  readonly parentCVersion: number;
  readonly ttlHi: number;
  readonly ttlLo: number;
}

/** Reads a CreateTTLTxn. Throws JuteError when the bytes are not one. */
export function readCreateTTLTxn(reader: JuteReader): CreateTTLTxn {
  const path = reader.readString();
  const data = reader.readBuffer();
  const aclCount = reader.readVectorCount(12);
  const acl: Acl[] | null = aclCount === -1 ? null : [];
  for (let i = 0; i < aclCount; i++) acl?.push(readAcl(reader));
  const parentCVersion = reader.readInt();
  const ttlHi = reader.readInt();
  const ttlLo = reader.readInt();
  return { path, data, acl, parentCVersion, ttlHi, ttlLo };
}

/** Writes a CreateTTLTxn. */
export function writeCreateTTLTxn(writer: JuteWriter, value: CreateTTLTxn): void {
  writer.writeString(value.path);
  writer.writeBuffer(value.data);
  writer.writeInt(value.acl === null ? -1 : value.acl.length);
  if (value.acl !== null) {
    for (const item of value.acl) writeAcl(writer, item);
  }
  writer.writeInt(value.parentCVersion);
  writer.writeLong(value.ttlHi, value.ttlLo);
}

/** CreateContainerTxn: path ustring, data buffer, acl Acl[], parentCVersion int. */
export interface CreateContainerTxn {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[] | null;
  readonly parentCVersion: number;
}

/** Reads a CreateContainerTxn. Throws JuteError when the bytes are not one. */
export function readCreateContainerTxn(reader: JuteReader): CreateContainerTxn {
  const path = reader.readString();
  const data = reader.readBuffer();
  const aclCount = reader.readVectorCount(12);
  const acl: Acl[] | null = aclCount === -1 ? null : [];
  for (let i = 0; i < aclCount; i++) acl?.push(readAcl(reader));
  const parentCVersion = reader.readInt();
  return { path, data, acl, parentCVersion };
}

/** Writes a CreateContainerTxn. */
export function writeCreateContainerTxn(writer: JuteWriter, value: CreateContainerTxn): void {
  writer.writeString(value.path);
  writer.writeBuffer(value.data);
  writer.writeInt(value.acl === null ? -1 : value.acl.length);
  if (value.acl !== null) {
    for (const item of value.acl) writeAcl(writer, item);
  }
  writer.writeInt(value.parentCVersion);
}

/** DeleteTxn: path ustring. */
export interface DeleteTxn {
  readonly path: string;
}

/** Reads a DeleteTxn. Throws JuteError when the bytes are not one. */
export function readDeleteTxn(reader: JuteReader): DeleteTxn {
  const path = reader.readString();
  return { path };
}

/** Writes a DeleteTxn. */
export function writeDeleteTxn(writer: JuteWriter, value: DeleteTxn): void {
  writer.writeString(value.path);
}

/** SetDataTxn: path ustring, data buffer, version int. */
export interface SetDataTxn {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly version: number;
}

/** Reads a SetDataTxn. Throws JuteError when the bytes are not one. */
export function readSetDataTxn(reader: JuteReader): SetDataTxn {
  const path = reader.readString();
  const data = reader.readBuffer();
  const version = reader.readInt();
  return { path, data, version };
}

/** Writes a SetDataTxn. */
export function writeSetDataTxn(writer: JuteWriter, value: SetDataTxn): void {
  writer.writeString(value.path);
  writer.writeBuffer(value.data);
  writer.writeInt(value.version);
}

/** CheckVersionTxn: path ustring, version int. */
export interface CheckVersionTxn {
  readonly path: string;
  readonly version: number;
}

/** Reads a CheckVersionTxn. Throws JuteError when the bytes are not one. */
export function readCheckVersionTxn(reader: JuteReader): CheckVersionTxn {
  const path = reader.readString();
  const version = reader.readInt();
  return { path, version };
}

/** Writes a CheckVersionTxn. */
export function writeCheckVersionTxn(writer: JuteWriter, value: CheckVersionTxn): void {
  writer.writeString(value.path);
  writer.writeInt(value.version);
}

/** SetACLTxn: path ustring, acl Acl[], version int. */
export interface SetACLTxn {
  readonly path: string;
  readonly acl: readonly Acl[] | null;
  readonly version: number;
}

/** Reads a SetACLTxn. Throws JuteError when the bytes are not one. */
export function readSetACLTxn(reader: JuteReader): SetACLTxn {
  const path = reader.readString();
  const aclCount = reader.readVectorCount(12);
  const acl: Acl[] | null = aclCount === -1 ? null : [];
  for (let i = 0; i < aclCount; i++) acl?.push(readAcl(reader));
  const version = reader.readInt();
  return { path, acl, version };
}

/** Writes a SetACLTxn. */
export function writeSetACLTxn(writer: JuteWriter, value: SetACLTxn): void {
  writer.writeString(value.path);
  writer.writeInt(value.acl === null ? -1 : value.acl.length);
  if (value.acl !== null) {
    for (const item of value.acl) writeAcl(writer, item);
  }
  writer.writeInt(value.version);
}

/** CreateSessionTxn: timeOut int. */
export interface CreateSessionTxn {
  readonly timeOut: number;
}

/** Reads a CreateSessionTxn. Throws JuteError when the bytes are not one. */
export function readCreateSessionTxn(reader: JuteReader): CreateSessionTxn {
  const timeOut = reader.readInt();
  return { timeOut };
}

/** Writes a CreateSessionTxn. */
export function writeCreateSessionTxn(writer: JuteWriter, value: CreateSessionTxn): void {
  writer.writeInt(value.timeOut);
}

/** CloseSessionTxn: paths2Delete ustring[]. */
export interface CloseSessionTxn {
  readonly paths2Delete: readonly string[] | null;
}

/** Reads a CloseSessionTxn. Throws JuteError when the bytes are not one. */
export function readCloseSessionTxn(reader: JuteReader): CloseSessionTxn {
  const paths2DeleteCount = reader.readVectorCount(4);
  const paths2Delete: string[] | null = paths2DeleteCount === -1 ? null : [];
  for (let i = 0; i < paths2DeleteCount; i++) paths2Delete?.push(reader.readString());
  return { paths2Delete };
}

/** Writes a CloseSessionTxn. */
export function writeCloseSessionTxn(writer: JuteWriter, value: CloseSessionTxn): void {
  writer.writeInt(value.paths2Delete === null ? -1 : value.paths2Delete.length);
  if (value.paths2Delete !== null) {
    for (const item of value.paths2Delete) writer.writeString(item);
  }
}

/** ErrorTxn: err int. */
export interface ErrorTxn {
  readonly err: number;
}

/** Reads a ErrorTxn. Throws JuteError when the bytes are not one. */
export function readErrorTxn(reader: JuteReader): ErrorTxn {
  const err = reader.readInt();
  return { err };
}

/** Writes a ErrorTxn. */
export function writeErrorTxn(writer: JuteWriter, value: ErrorTxn): void {
  writer.writeInt(value.err);
}

/** Txn: type int, data buffer. */
export interface Txn {
  readonly type: number;
  readonly data: Uint8Array | null;
}

/** Reads a Txn. Throws JuteError when the bytes are not one. */
export function readTxn(reader: JuteReader): Txn {
  const type = reader.readInt();
  const data = reader.readBuffer();
  return { type, data };
}

/** Writes a Txn. */
export function writeTxn(writer: JuteWriter, value: Txn): void {
  writer.writeInt(value.type);
  writer.writeBuffer(value.data);
}

/** MultiTxn: txns Txn[]. */
export interface MultiTxn {
  readonly txns: readonly Txn[] | null;
}

/** Reads a MultiTxn. Throws JuteError when the bytes are not one. */
export function readMultiTxn(reader: JuteReader): MultiTxn {
  const txnsCount = reader.readVectorCount(8);
  const txns: Txn[] | null = txnsCount === -1 ? null : [];
  for (let i = 0; i < txnsCount; i++) txns?.push(readTxn(reader));
  return { txns };
}

/** Writes a MultiTxn. */
export function writeMultiTxn(writer: JuteWriter, value: MultiTxn): void {
  writer.writeInt(value.txns === null ? -1 : value.txns.length);
  if (value.txns !== null) {
    for (const item of value.txns) writeTxn(writer, item);
  }
}
