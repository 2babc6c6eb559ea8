import { createServer } from 'node:net';

/** Below the ports that systems give to connections of their own, so that nobody takes one meanwhile. */
const firstPort = 10_000;
const portCount = 20_000;
const given = new Set<number>();

/** A port that is free, was not given before, and that no connection of this machine will be given by chance. */
export async function quietPort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = firstPort + Math.floor(Math.random() * portCount);
    if (given.has(port) || !(await isFree(port, host))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
