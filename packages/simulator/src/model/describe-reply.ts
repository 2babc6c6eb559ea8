import assert from 'node:assert/strict';
import { formatLong, OpCode, readStat, type Stat } from '@meerkat/protocol';
import type { Reply } from '../scripted-client.ts';
import type { ModelRead } from './model-reads.ts';
import type { ModelWrite } from './model-tree.ts';
import { readAcls, readMultiResults, readStrings, readText } from './operations.ts';

/** The body of a reply in plain values. */
export function describeReply(request: ModelRead | ModelWrite, reply: Reply): unknown {
  const { body } = reply;
  switch (request.kind) {
    case 'create': {
      const path = body.readString();
      return request.type === OpCode.create ? { path } : { path, stat: describe(readStat(body)) };
    }
    case 'setData':
    case 'setAcl':
    case 'exists':
      return { stat: describe(readStat(body)) };
    case 'getData':
    case 'reconfig':
      return { data: readText(body), stat: describe(readStat(body)) };
    case 'getChildren':
      return { children: readStrings(body) };
    case 'getChildren2':
      return { children: readStrings(body), stat: describe(readStat(body)) };
    case 'getAcl':
      return { acl: readAcls(body), stat: describe(readStat(body)) };
    case 'getAllChildrenNumber':
      return { count: body.readInt() };
    case 'getEphemerals':
      return { paths: readStrings(body) };
    case 'sync':
      return { path: body.readString() };
    case 'addWatch':
      return { code: body.readInt() };
    case 'multi':
    case 'multiRead':
      return {
        results: readMultiResults(reply).map(({ stat, ...rest }) =>
          stat === undefined ? rest : { ...rest, stat: describe(stat) },
        ),
      };
    default:
      assert.equal(body.remaining, 0, 'no body');
      return {};
  }
}

function describe({ ephemeralOwnerHi, ephemeralOwnerLo, ...rest }: Stat): unknown {
  return { ...rest, owner: sessionName(ephemeralOwnerHi, ephemeralOwnerLo) };
}

/** How the model names a session; '' for none. */
export function sessionName(hi: number, lo: number): string {
  return hi === 0 && lo === 0 ? '' : formatLong(hi, lo);
}
