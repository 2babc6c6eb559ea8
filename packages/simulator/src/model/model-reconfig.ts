import { ErrorCode } from '@meerkat/protocol';
import {
  type ModelCaller,
  type ModelChange,
  type ModelOutcome,
  type ModelTree,
  type ModelWrite,
  statOf,
} from './model-tree.ts';

/** A request to change who the members are. */
export type ModelReconfig = ModelWrite & { readonly kind: 'reconfig' };

/**
 * The members of an ensemble as anybody would write them down: what stands behind `server.N=`, by id. Every line names
 * its role and the port for clients, as in `host4:2888:3888:participant;0.0.0.0:2181`.
 */
export interface ModelMembers {
  readonly version: number;
  readonly lines: ReadonlyMap<number, string>;
}

/** Where the members stand in the tree. */
export const configPath = '/zookeeper/config';

/** Reads the text of `/zookeeper/config`. */
export function readMembers(text: string): ModelMembers {
  const lines = new Map<number, string>();
  let version = 0;
  for (const line of text.split('\n')) {
    const [key = '', value = ''] = line.split(/=(.*)/s);
    if (key === 'version') version = Number.parseInt(value, 16);
    else if (key.startsWith('server.')) lines.set(Number(key.slice(7)), value);
  }
  return { version, lines };
}

/** The text, with the members in the order of their ids: that of the servers is their own matter. */
export function formatMembers({ version, lines }: ModelMembers): string {
  const sorted = [...lines].sort(([a], [b]) => a - b);
  const texts = sorted.map(([id, value]) => `server.${id}=${value}`);
  return [...texts, `version=${version.toString(16)}`].join('\n');
}

/** Whether two texts name the same members and version, in whatever order. */
export function isSameMembersText(a: string, b: string): boolean {
  return formatMembers(readMembers(a)) === formatMembers(readMembers(b));
}

/** The ids of those who vote. */
export function votersIn({ lines }: ModelMembers): ReadonlySet<number> {
  const voters = [...lines].filter(([, line]) => line.includes(':participant'));
  return new Set(voters.map(([id]) => id));
}

/** The members that a request makes of those before, with the version of those before; or its error. */
export function changedMembers(
  before: ModelMembers,
  request: ModelReconfig,
): ModelMembers | ErrorCode {
  const { fromConfig, newMembers } = request;
  if (fromConfig !== -1 && fromConfig !== before.version) return ErrorCode.badVersion;
  const lines = newMembers === null ? changed(before, request) : whole(newMembers);
  if (typeof lines === 'number') return lines;
  const after = { version: before.version, lines };
  const voters = votersIn(after).size;
  const observers = lines.size - voters;
  // A whole configuration that would be no ensemble surprises Java; a difference that leaves too little is refused.
  if (newMembers !== null && observers > 0 && voters < 2) return ErrorCode.marshallingError;
  return voters < 2 ? ErrorCode.badArguments : after;
}

/** Applies a reconfiguration, which is transaction `zxid` at `timeMs`. */
export function applyReconfig(
  tree: ModelTree,
  write: ModelReconfig,
  caller: ModelCaller,
  zxid: number,
  timeMs: number,
): ModelOutcome {
  const refuse = (err: number): ModelOutcome => ({ err, tree, changes: [] });
  const node = tree.get(configPath);
  if (node === undefined) return refuse(ErrorCode.noNode);
  const after = changedMembers(readMembers(node.data ?? ''), write);
  if (typeof after === 'number') return refuse(after);
  if (caller.digestId !== superDigest) return refuse(ErrorCode.noAuth);
  const text = formatMembers({ ...after, version: zxid });
  const next = configured(tree, text, timeMs);
  const change: ModelChange = { kind: 'data', path: configPath, acl: node.acl, parentAcl: [] };
  return {
    err: 0,
    tree: next,
    changes: [change],
    body: { data: text, stat: statOf(next, configPath) },
  };
}

/** The tree with these members in it. */
export function configured(tree: ModelTree, text: string, timeMs: number): ModelTree {
  const node = tree.get(configPath);
  if (node === undefined) return tree;
  const mzxid = readMembers(text).version;
  return new Map(tree).set(configPath, { ...node, data: text, mzxid, mtime: timeMs, version: -1 });
}

function changed(before: ModelMembers, request: ModelReconfig): Map<number, string> | ErrorCode {
  const lines = new Map(before.lines);
  for (const text of itemsOf(request.leaving)) {
    if (!/^\d+$/.test(text)) return ErrorCode.marshallingError;
    lines.delete(Number(text));
  }
  for (const text of itemsOf(request.joining)) {
    const [, id, line] = /^server\.(\d+)=(.*)$/.exec(text) ?? [];
    if (id === undefined || line === undefined || !isLine(line)) return ErrorCode.badArguments;
    lines.delete(Number(id));
    const taken = new Set([...lines.values()].flatMap(addressesOf));
    if (addressesOf(line).some((address) => taken.has(address))) return ErrorCode.badArguments;
    lines.set(Number(id), line);
  }
  return lines;
}

function whole(text: string): Map<number, string> | ErrorCode {
  const lines = new Map<number, string>();
  for (const item of itemsOf(text.replaceAll('\n', ','))) {
    const [, id, line] = /^server\.(\d+)=(.*)$/.exec(item) ?? [];
    if (id === undefined || line === undefined || !isLine(line)) return ErrorCode.badArguments;
    lines.set(Number(id), line);
  }
  return lines;
}

function itemsOf(text: string | null): string[] {
  return (text ?? '').split(',').filter((item) => item !== '');
}

function isLine(line: string): boolean {
  return /^[a-z0-9.]+:\d+:\d+:(participant|observer);0\.0\.0\.0:\d+$/.test(line);
}

/** Where a member awaits learners, and where votes. */
function addressesOf(line: string): string[] {
  const [host, quorumPort, electionPort] = line.split(':');
  return [`${host}:${quorumPort}`, `${host}:${electionPort}`];
}

/** What a superuser sends, and who that makes him: `super` and the hash of `super:admin`. */
export const superCredentials = 'super:admin';
export const superDigest = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs=';
