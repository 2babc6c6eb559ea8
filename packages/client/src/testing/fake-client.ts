import type { ClientOptions } from '../options.ts';
import type { ConnectionState } from '../states.ts';
import { ZooKeeper } from '../zookeeper.ts';
import { FakePorts, type FakeStream, type Welcome } from './fake-ports.ts';

/** A client on fake ports, with what it said of its states. */
export interface FakeClient {
  readonly zk: ZooKeeper;
  readonly ports: FakePorts;
  /** The states told so far, in short. */
  readonly states: string[];
}

/** A client that has not dialed yet: `ports.pass(0)` lets it. */
export function fakeClient(options: ClientOptions = {}, connectString = 'one:1'): FakeClient {
  const ports = new FakePorts();
  const zk = new ZooKeeper(connectString, { sessionTimeoutMs: 9000, ...options }, ports);
  const states: string[] = [];
  zk.onState((state: ConnectionState) => states.push(state.status));
  return { zk, ports, states };
}

/** A client that a server serves. */
export async function connectedClient(
  options: ClientOptions = {},
  connectString = 'one:1',
  welcome: Partial<Welcome> = {},
): Promise<FakeClient & { stream: FakeStream }> {
  const client = fakeClient(options, connectString);
  await client.ports.pass(0);
  const { stream } = client.ports;
  await stream.welcome(welcome);
  return { ...client, stream };
}

/** The present state, which the compiler must not take for the one it saw before. */
export function stateOf(zk: ZooKeeper): ConnectionState {
  return zk.state;
}

/** How a promise ended: its value, or the name of its error. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return (error as Error).name;
  }
}
