import { BadArgumentsError } from './errors.ts';
import { nodePorts } from './node/node-ports.ts';
import { secureContextOf, type TlsOptions } from './node/tls-options.ts';
import { tlsTransport } from './node/tls-transport.ts';
import type { ClientOptions } from './options.ts';
import type { ClientPorts } from './ports.ts';
import { ZooKeeper } from './zookeeper.ts';

/** Options of `connect`. */
export interface ConnectOptions extends ClientOptions {
  /** How long to wait for the first connection, ms. Default: the session timeout. */
  readonly connectTimeoutMs?: number;
  /** Gives up waiting for the first connection. It has no effect later. */
  readonly signal?: AbortSignal;
  /** Speaks TLS: true with Node's own authorities, or with whom to trust and who we are. Default: plain TCP. */
  readonly tls?: boolean | TlsOptions;
  /** Where streams, time and chance come from. Default: Node. */
  readonly ports?: ClientPorts;
}

/**
 * Connects to an ensemble and waits until one of its servers serves the session.
 *
 * ```ts
 * await using zk = await connect('127.0.0.1:2181/app', { sessionTimeoutMs: 30_000 });
 * await zk.create('/greeting', 'hello');
 * const { data, stat } = await zk.getData('/greeting', { watch: (event) => console.log(event) });
 * ```
 *
 * @param connectString `host:port,host:port/chroot`; the port defaults to 2181
 * @throws BadArgumentsError when the connect string or an option is not valid
 * @throws ConnectionLossError when no server was reached in time; its `cause` says why the last attempt failed
 * @throws SessionExpiredError when the session given is no more; AuthFailedError when credentials were refused
 */
export async function connect(
  connectString: string,
  options: ConnectOptions = {},
): Promise<ZooKeeper> {
  options.signal?.throwIfAborted();
  const zk = open(connectString, options);
  const timeoutMs = options.connectTimeoutMs ?? zk.sessionTimeoutMs;
  try {
    const { signal, tls } = options;
    // A key that does not fit would otherwise be told only when the time is up.
    if (typeof tls === 'object') await secureContextOf(tls);
    await zk.connected(signal === undefined ? { timeoutMs } : { timeoutMs, signal });
    return zk;
  } catch (error) {
    await zk.close();
    throw error;
  }
}

/**
 * As `connect`, without waiting: calls wait until a server is reached or all were tried in vain.
 *
 * @throws BadArgumentsError when the connect string or an option is not valid
 */
export function open(connectString: string, options: ConnectOptions = {}): ZooKeeper {
  return new ZooKeeper(connectString, options, portsOf(options));
}

function portsOf(options: ConnectOptions): ClientPorts {
  const { ports, tls = false } = options;
  if (tls === false) return ports ?? nodePorts;
  if (ports !== undefined) {
    const message =
      'Cannot use option tls: current value is a client with ports of its own, whose transport it does not change';
    throw new BadArgumentsError({ message });
  }
  return { ...nodePorts, transport: tlsTransport(tls === true ? {} : tls) };
}
