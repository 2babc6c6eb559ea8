import assert from 'node:assert/strict';
import { connect, type ZooKeeper } from '@meerkat/client';
import type { Ensemble } from './ensemble-of.ts';

/** Everything a client can see of a tree: path, data and Stat of each znode, one text each. */
export async function treeOf(zk: ZooKeeper, path = '/'): Promise<string[]> {
  const lines: string[] = [];
  const visit = async (at: string): Promise<void> => {
    const { data, stat } = await zk.getData(at);
    const fields = [
      stat.czxid,
      stat.mzxid,
      stat.pzxid,
      stat.ctimeMs,
      // Each member takes the time of its own start for the configuration.
      at === '/zookeeper/config' ? 0 : stat.mtimeMs,
      stat.version,
      stat.cversion,
      stat.aversion,
      stat.ephemeralOwner,
    ];
    const text = data === null ? 'null' : Buffer.from(data).toString('latin1');
    lines.push(`${at} ${JSON.stringify(text)} ${fields.join(' ')}`);
    const children = await zk.getChildren(at);
    await Promise.all(
      children.sort().map((name) => visit(at === '/' ? `/${name}` : `${at}/${name}`)),
    );
  };
  await visit(path);
  return lines.sort();
}

/**
 * Fails unless every running member shows the same tree, and returns it. Nobody may write meanwhile.
 *
 * @param except a path that may differ
 */
export async function assertSameTrees(
  ensemble: Ensemble,
  except: string | null = null,
): Promise<readonly string[]> {
  let first: { readonly name: string; readonly tree: readonly string[] } | null = null;
  for (const member of ensemble.members) {
    if (!member.isRunning) continue;
    const zk = await connect(member.connectString, { sessionTimeoutMs: 10_000 });
    try {
      await zk.sync('/');
      const whole = await treeOf(zk);
      const tree = whole.filter((line) => except === null || !line.startsWith(`${except} `));
      if (first === null) first = { name: member.name, tree };
      const differences = differencesOf(tree, first.tree);
      const names: string = `${member.name} and ${first.name}`;
      assert.equal(differences.length, 0, `trees of ${names}:\n${differences.join('\n')}`);
    } finally {
      await zk.close();
    }
  }
  return first?.tree ?? [];
}

/** Lines that only one of two trees has, the first few of each. */
function differencesOf(one: readonly string[], other: readonly string[]): readonly string[] {
  const ofOne = new Set(one);
  const ofOther = new Set(other);
  const added = one.filter((line) => !ofOther.has(line)).slice(0, 5);
  const missing = other.filter((line) => !ofOne.has(line)).slice(0, 5);
  return [...added.map((line) => `+ ${line}`), ...missing.map((line) => `- ${line}`)];
}
