import { createServer } from 'node:net';

/** A port of this machine cannot be had; the message says what to do. */
export class PortTakenError extends Error {
  override readonly name: string = 'PortTakenError';
}

/**
 * So many ports that are free now: `first` and those behind it, or any when `first` is 0.
 *
 * @throws PortTakenError when one of them is in use, or there are not so many
 */
export async function findPorts(first: number, count: number): Promise<readonly number[]> {
  if (first + count > 65_536) {
    throw new PortTakenError(
      `Cannot use ${count} ports from ${first} on: there are none above 65535; give a lower --port`,
    );
  }
  const wanted = Array.from({ length: count }, (_, index) => (first === 0 ? 0 : first + index));
  // All at once, so that the system gives no free one twice.
  const results = await Promise.allSettled(wanted.map((port) => take(port)));
  const taken = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  await Promise.all(taken.map((one) => one.release()));
  const failed = results.findIndex(({ status }) => status === 'rejected');
  if (failed >= 0) {
    throw new PortTakenError(
      `Cannot use port ${wanted[failed]}: another program does, perhaps an ensemble that still runs; stop it, or give another --port (${count} ports from there on are used)`,
    );
  }
  return taken.map(({ port }) => port);
}

interface TakenPort {
  readonly port: number;
  release(): Promise<void>;
}

function take(port: number): Promise<TakenPort> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        release: () => new Promise((done) => server.close(() => done())),
      });
    });
  });
}
