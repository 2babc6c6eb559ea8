import { connect, type ZooKeeper } from '@meerkat/client';
import type { ServerUnderTest } from './server-under-test.ts';

/**
 * Runs `use` with so many connected clients, and closes them afterwards. Their sessions outlast a server's restart on a
 * machine that has much else to do.
 */
export async function withClients<T>(
  server: ServerUnderTest,
  count: number,
  use: (...clients: ZooKeeper[]) => Promise<T>,
): Promise<T> {
  const clients = await Promise.all(
    Array.from({ length: count }, () =>
      connect(server.connectString, { sessionTimeoutMs: 30_000 }),
    ),
  );
  try {
    return await use(...clients);
  } finally {
    await Promise.all(clients.map((zk) => zk.close()));
  }
}
