import { nodePorts } from './node/node-ports.ts';
import type { ClientOptions } from './options.ts';
import type { ClientPorts } from './ports.ts';
import { ZooKeeper } from './zookeeper.ts';

/** Options of `connect`. */
export interface ConnectOptions extends ClientOptions {
  /** How long to wait for the first connection, ms. Default: the session timeout. */
  readonly connectTimeoutMs?: number;
  /** Gives up waiting for the first connection. It has no effect later. */
  readonly signal?: AbortSignal;
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
    const { signal } = options;
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
  return new ZooKeeper(connectString, options, options.ports ?? nodePorts);
}
