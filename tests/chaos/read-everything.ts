import { connect, type ZooKeeper, ZooKeeperError } from '@meerkat/client';
import type { Recorder } from './recorder.ts';
import { recordingPorts } from './recording-ports.ts';

/** Reads every znode that a member shows, so that the history has all that it holds. */
export async function readEverything(
  connectString: string,
  client: string,
  recorder: Recorder,
): Promise<void> {
  const ports = recordingPorts(recorder, client);
  const zk = await connect(connectString, { sessionTimeoutMs: 20_000, ports });
  await zk.sync('/');
  await visit(zk, '/');
  await zk.close();
}

async function visit(zk: ZooKeeper, path: string): Promise<void> {
  // Members do not write down who is in the ensemble; the history cannot say what stands there.
  if (path === '/zookeeper/config') return;
  const [, , listed] = await Promise.all([
    zk.getData(path).catch(refused),
    zk.getAcl(path).catch(refused),
    zk.getChildrenWithStat(path).catch(refused),
  ]);
  for (const name of listed?.children ?? [])
    await visit(zk, path === '/' ? `/${name}` : `${path}/${name}`);
}

/** What must not be read is not shown on any member; the history has the answer. */
function refused(error: unknown): null {
  if (error instanceof ZooKeeperError) return null;
  throw error;
}
