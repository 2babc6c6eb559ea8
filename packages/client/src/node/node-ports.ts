import { randomInt } from 'node:crypto';
import dns from 'node:dns';
import { createConnection } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ClientPorts, HostPort, Stream, StreamHandler } from '../ports.ts';
import { SocketStream } from './socket-stream.ts';

/** The client's ports on Node: TCP, the monotonic clock, the system's randomness, its name servers. */
export const nodePorts: ClientPorts = {
  transport: { dial },
  clock: {
    nowMs: () => performance.now(),
    startTimer: (delayMs, callback) => setTimeout(callback, delayMs),
    cancelTimer: (handle) => clearTimeout(handle as NodeJS.Timeout),
    // A tick asked for by a promise runs when no promise is left to run: calls that follow from the answers
    // of this turn leave with the same write.
    endOfTurn: (callback) => queueMicrotask(() => process.nextTick(callback)),
  },
  random: { below: (bound) => randomInt(bound) },
  resolver: {
    resolveSrv: (name, callback) => {
      // Looked up in the module at each call: dns.setServers() puts other functions there.
      dns.resolveSrv(name, (error, records) => callback(error, error === null ? records : []));
    },
  },
};

/** Dials a server over TCP; the name is resolved now. */
function dial(server: HostPort, handler: StreamHandler): Stream {
  const stream = new SocketStream(handler);
  const { host, port } = server;
  stream.use(createConnection({ host, port, noDelay: true }), 'connect');
  return stream;
}
