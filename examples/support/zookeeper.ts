import { connect, NoNodeError, NotEmptyError, type ZooKeeper } from '@meerkat/client';
import { TestEnsemble } from '@meerkat/testing';

/**
 * Runs an example against the ZooKeeper that `ZK_CONNECT` names, or against a Meerkat server of its own, in this process,
 * that ends with it. Each run works under a path of its own, which is deleted at the end.
 */
export async function withZooKeeper(
  use: (connectString: string, root: string) => Promise<void>,
): Promise<void> {
  const root = `/example-${process.pid}-${Date.now()}`;
  const given = process.env.ZK_CONNECT;
  if (given !== undefined && given !== '') {
    console.log(`ZooKeeper: ${given}`);
    try {
      await use(given, root);
    } finally {
      await using zk = await connect(given);
      await deleteTree(zk, root);
    }
    return;
  }
  // A short tick lets the sessions of killed processes expire soon.
  await using ensemble = await TestEnsemble.start({ tickTimeMs: 500 });
  console.log(`ZooKeeper: a Meerkat of our own at ${ensemble.connectString}`);
  await use(ensemble.connectString, root);
}

/** Ends the example with an error unless what it shows has come true. */
export function expect(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`Cannot show that ${what}: it is not so`);
}

/** Deletes a znode and all below it; what others create there meanwhile too. */
async function deleteTree(zk: ZooKeeper, path: string): Promise<void> {
  for (;;) {
    try {
      const names = await zk.getChildren(path);
      await Promise.all(names.map((name) => deleteTree(zk, `${path}/${name}`)));
      await zk.delete(path);
      return;
    } catch (error) {
      if (error instanceof NoNodeError) return;
      if (!(error instanceof NotEmptyError)) throw error;
    }
  }
}
