import { createServer, type Server } from 'node:http';
import type { ConfigCenter, ConfigKey } from '@meerkat/client/recipes';
import type { PoolHolder } from './pool-holder.ts';
import type { PoolSettings } from './settings.ts';

/** The configuration of the page. */
export type PageConfig = ConfigCenter<{ readonly pool: ConfigKey<PoolSettings, PoolSettings> }>;

/** The web page: one query for each request. */
export function startPage(pool: PoolHolder): Promise<Server> {
  const server = createServer((_request, response) => {
    pool
      .use(async (connection) => {
        const [row] = await connection.query<{ text: string }[]>(
          'select text from greeting where sleep(0.01) = 0',
        );
        response.setHeader('content-type', 'text/html');
        response.end(`<h1>${row?.text}</h1>\n`);
      })
      .catch((error: Error) => {
        response.statusCode = 500;
        response.end(`${error.message}\n`);
      });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Rebuilds the pool whenever its settings change, until the signal aborts. Settings that do not work change nothing. */
export async function followSettings(
  config: PageConfig,
  pool: PoolHolder,
  signal: AbortSignal,
  tell: (settings: PoolSettings, error: Error | null) => void,
): Promise<void> {
  let present = config.values.pool;
  for await (const settings of config.changesOf('pool', { signal })) {
    if (settings === present) continue;
    present = settings;
    try {
      await pool.replace(settings);
      tell(settings, null);
    } catch (error) {
      tell(settings, error as Error);
    }
  }
}
