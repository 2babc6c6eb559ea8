import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from '@meerkat/client';
import { ServiceRegistration } from '@meerkat/client/recipes';

/* A provider: an HTTP server that registers itself. Arguments: connect string, base path, id. */

const [connectString = '', basePath = '', id = ''] = process.argv.slice(2);
const server = createServer((_request, response) => response.end(`hello from ${id}\n`));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

const zk = await connect(connectString, { sessionTimeoutMs: 4000 });
await ServiceRegistration.start(
  zk,
  basePath,
  { name: 'greeter', id, address: '127.0.0.1', port },
  { health: { check: () => server.listening } },
);
process.send?.('registered');
