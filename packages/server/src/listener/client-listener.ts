import { createServer, type Server, type Socket } from 'node:net';
import type { ServerConfig } from '../configuration/server-config.ts';
import { shellLimits } from '../limits.ts';
import type { Log } from '../logging/log.ts';
import type { NodeNetwork } from '../ports/node-network.ts';
import type { ClientConnection } from './client-connection.ts';
import { descriptorsMax } from './descriptors.ts';
import type { ListenerCounters } from './listener-counters.ts';

/** The part of the configuration that concerns the client port. */
export type ListenerConfig = ServerConfig['listener'];

/**
 * The client port. Owns who may come in; what they say belongs to the network and the replica.
 */
export class ClientListener {
  readonly #config: ListenerConfig;
  readonly #network: NodeNetwork;
  readonly #log: Log;
  readonly #server: Server;
  readonly #countByAddress = new Map<string, number>();
  readonly #connectionsMax: number;
  readonly counters: ListenerCounters = {
    tooManyOfAddress: 0,
    tooManyInAll: 0,
    outOfDescriptors: 0,
    acceptErrors: 0,
    handshakesMissed: 0,
  };

  /** @param network takes over what is let in; its `onGone` must lead to `onGone` here */
  constructor(config: ListenerConfig, network: NodeNetwork, log: Log) {
    this.#config = config;
    this.#network = network;
    this.#log = log;
    this.#connectionsMax = Math.max(1, descriptorsMax() - shellLimits.descriptorsReserved);
    this.#server = createServer({
      noDelay: true,
      keepAlive: config.tcpKeepAlive,
      pauseOnConnect: true,
    });
    this.#server.on('connection', (socket) => this.#onConnection(socket));
  }

  /**
   * Opens the port.
   *
   * @returns the port, which the system chose when the configuration says 0
   * @throws the system's error when the address or port cannot be had
   */
  listen(): Promise<number> {
    const { host, port, backlog } = this.#config;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      const options = { port, backlog: backlog < 0 ? shellLimits.listenBacklog : backlog };
      this.#server.listen(host === null ? options : { ...options, host }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#onAcceptError(error));
        const address = this.#server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : port);
      });
    });
  }

  /** Lets nobody else in. Those who are in stay. */
  close(): void {
    this.#server.close();
  }

  /** A connection has ended. */
  onGone(connection: ClientConnection): void {
    const count = this.#countByAddress.get(connection.address) ?? 0;
    if (count > 1) this.#countByAddress.set(connection.address, count - 1);
    else this.#countByAddress.delete(connection.address);
  }

  /** A connection was closed for its silence. */
  onHandshakeMissed(connection: ClientConnection): void {
    this.counters.handshakesMissed += 1;
    this.#log.remark('handshake-missed', 'closed a connection that did not say who it is in time', {
      address: connection.address,
      handshakeMs: this.#config.handshakeMs,
    });
  }

  #onConnection(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) {
      // It was reset between accept and now.
      socket.on('error', ignoreError).destroy();
      return;
    }
    const address = plainAddress(remoteAddress);
    const count = this.#countByAddress.get(address) ?? 0;
    if (!this.#letsIn(address, count)) {
      socket.on('error', ignoreError).destroy();
      return;
    }
    this.#countByAddress.set(address, count + 1);
    this.#network.adopt(socket, { address, port: remotePort, secure: false });
  }

  #letsIn(address: string, count: number): boolean {
    const { maxClientCnxns, maxCnxns } = this.#config;
    const total = this.#network.connections.size;
    if (maxClientCnxns > 0 && count >= maxClientCnxns) {
      this.counters.tooManyOfAddress += 1;
      this.#log.remark('max-client-cnxns', 'too many connections from one address', {
        address,
        maxClientCnxns,
      });
      return false;
    }
    if (maxCnxns > 0 && total >= maxCnxns) {
      this.counters.tooManyInAll += 1;
      this.#log.remark('max-cnxns', 'too many connections', { address, maxCnxns });
      return false;
    }
    if (total >= this.#connectionsMax) {
      this.counters.outOfDescriptors += 1;
      this.#log.remark(
        'descriptors',
        'no descriptor is left for another connection: raise the limit of open files (ulimit -n)',
        { address, connections: total },
      );
      return false;
    }
    return true;
  }

  #onAcceptError(error: Error): void {
    this.counters.acceptErrors += 1;
    this.#log.remark('accept', 'the system did not hand over a connection', {
      error: error.message,
    });
  }
}

function ignoreError(): void {}

/** The address as Java prints it: IPv4 that came over an IPv6 socket is IPv4. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
