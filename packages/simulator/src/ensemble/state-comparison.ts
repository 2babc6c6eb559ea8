import { isDeepStrictEqual } from 'node:util';
import { noNode } from '@meerkat/engine';
import { formatZxid, JuteReader, JuteWriter, readStat } from '@meerkat/protocol';
import { sessionName } from '../model/describe-reply.ts';
import { configPath } from '../model/model-reconfig.ts';
import { type ModelTree, statOf } from '../model/model-tree.ts';
import type { EnsembleMember } from './ensemble-member.ts';
import type { ModelHistory, ModelVersion } from './model-history.ts';
import { demand } from './violation.ts';

/**
 * Compares all that a member holds with the model at the same zxid: each znode's data, Stat and ACL, and the sessions.
 *
 * @throws Violation when they differ
 */
export function compareState(member: EnsembleMember, history: ModelHistory): void {
  const { replica } = member;
  if (replica === null) return;
  const { state, applier } = replica;
  // All is quiet: whoever stands at the end of an epoch knows by what the next one began.
  const version = history.shownAt(state.lastProcessedZxid).at(-1) as ModelVersion;
  const at = `${member.id} at ${formatZxid(state.lastProcessedZxid)}`;
  const mismatches = applier.digestMismatches - member.mismatchesOnDamagedDisk;
  demand(mismatches === 0, 'digests agree', () => {
    return `${at}: ${mismatches} transactions came to another digest than their maker's`;
  });
  compareTrees(at, state.tree, version.tree);
  const global = [...state.sessions.all()].filter(({ isLocal }) => !isLocal);
  const alive = new Set(global.map(({ idHi, idLo }) => sessionName(idHi, idLo)));
  demand(isDeepStrictEqual(alive, version.sessions), 'sessions agree', () => {
    return `${at}: ${[...alive].join()}, the model says ${[...version.sessions].join()}`;
  });
}

type EngineTree = NonNullable<EnsembleMember['replica']>['state']['tree'];

function compareTrees(at: string, tree: EngineTree, model: ModelTree): void {
  const writer = new JuteWriter();
  for (const [path, node] of model) {
    const id = tree.findString(path);
    demand(id !== noNode, 'trees agree', () => `${at}: there is no ${path}`);
    const data = tree.copyData(id);
    const text = data === null ? null : Buffer.from(data).toString();
    if (path === configPath) {
      // When it came in force is each member's own matter. Nothing is known of it where members never change.
      demand(node.data === '' || text === node.data, 'members agree on who they are', () => {
        return `${at}:\n${text}\nthe model says\n${node.data}`;
      });
      continue;
    }
    tree.writeStat(writer.clear(), id);
    const { ephemeralOwnerHi, ephemeralOwnerLo, ...rest } = readStat(
      new JuteReader(writer.bytes, 0, writer.length),
    );
    const owner = sessionName(ephemeralOwnerHi, ephemeralOwnerLo);
    const found = { data: text, acl: tree.acls.get(tree.aclId(id)), ...rest, owner };
    const expected = { data: node.data, acl: node.acl, ...statOf(model, path) };
    demand(isDeepStrictEqual(found, expected), 'trees agree', () => {
      return `${at}: ${path} is\n  ${JSON.stringify(found)}, the model says\n  ${JSON.stringify(expected)}`;
    });
  }
  // The root counts twice: '' and '/' are one znode to clients.
  demand(tree.nodeCount === model.size + 1, 'trees agree', () => {
    return `${at}: ${tree.nodeCount - 1} znodes, the model has ${model.size}`;
  });
}
