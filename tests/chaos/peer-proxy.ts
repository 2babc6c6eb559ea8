import { connect, createServer, type Server, type Socket } from 'node:net';
import type { WayState } from './members-network.ts';

/**
 * A way from one member to a port of another: what the first one believes to be the address of the second. Whatever
 * goes from one to the other in connections that the first one has opened passes here, in both directions.
 */
export class PeerProxy {
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #state: WayState = 'open';
  port = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer({ noDelay: true, allowHalfOpen: false }, (socket) => {
      this.#accept(socket);
    });
  }

  /** Opens a way to a port of this machine. */
  static async open(targetPort: number): Promise<PeerProxy> {
    const proxy = new PeerProxy(targetPort);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', () => resolve());
    });
    const address = proxy.#server.address();
    proxy.port = typeof address === 'object' && address !== null ? address.port : 0;
    return proxy;
  }

  /** Changes what becomes of everything that is sent from now on. */
  set(state: WayState): void {
    this.#state = state;
    for (const [near, far] of this.#pairs) {
      if (state === 'cut') {
        near.destroy();
        far.destroy();
      } else if (state === 'stalled') {
        near.pause();
        far.pause();
      } else {
        near.resume();
        far.resume();
      }
    }
  }

  close(): void {
    this.set('cut');
    this.#server.close();
  }

  #accept(near: Socket): void {
    if (this.#state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true });
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (bytes: Buffer) => {
        if (to.write(bytes)) return;
        from.pause();
        to.once('drain', () => {
          if (this.#state === 'open') from.resume();
        });
      });
      // An orderly end passes only where anything does.
      from.on('end', () => {
        if (this.#state === 'open') to.end();
      });
      from.on('error', end);
      from.on('close', end);
    }
    if (this.#state === 'stalled') {
      near.pause();
      far.pause();
    }
  }
}
