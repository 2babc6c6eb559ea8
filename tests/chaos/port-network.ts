import { quietPort } from '../peers/support/quiet-port.ts';
import type { MemberAddress, MembersNetwork, WayState } from './members-network.ts';
import { PeerProxy } from './peer-proxy.ts';

/** Ports of this machine: each member reaches every other one by proxies in this process, which can be shut. */
export class PortNetwork implements MembersNetwork {
  readonly description: string;
  readonly hasClientWays = false;
  readonly slowness = null;
  /** By `from to`: the ways to the two ports of a member. */
  readonly #ways: ReadonlyMap<string, readonly PeerProxy[]>;
  readonly #addresses: ReadonlyMap<number, MemberAddress>;

  /** @param reason why there is nothing better */
  static async open(ids: readonly number[], reason: string): Promise<PortNetwork> {
    const ports = new Map<number, { quorum: number; election: number }>();
    for (const id of ids) ports.set(id, { quorum: await quietPort(), election: await quietPort() });
    const ways = new Map<string, readonly PeerProxy[]>();
    const addresses = new Map<number, MemberAddress>();
    for (const id of ids) {
      const servers: string[] = [];
      for (const [other, { quorum, election }] of ports) {
        if (other === id) {
          servers.push(`server.${id}=127.0.0.1:${quorum}:${election}:participant`);
          continue;
        }
        const pair = [await PeerProxy.open(quorum), await PeerProxy.open(election)] as const;
        ways.set(`${id} ${other}`, pair);
        servers.push(`server.${other}=127.0.0.1:${pair[0].port}:${pair[1].port}:participant`);
      }
      addresses.set(id, { host: '127.0.0.1', clientPort: await quietPort(), servers });
    }
    return new PortNetwork(ways, addresses, reason);
  }

  private constructor(
    ways: ReadonlyMap<string, readonly PeerProxy[]>,
    addresses: ReadonlyMap<number, MemberAddress>,
    reason: string,
  ) {
    this.#ways = ways;
    this.#addresses = addresses;
    this.description = `ports with proxies between the members, since ${reason}`;
  }

  addressOf(id: number): MemberAddress {
    return this.#addresses.get(id) as MemberAddress;
  }

  /** Shuts, or opens, what each `from` has opened to `to`, in both directions. */
  setWays(ways: readonly (readonly [from: number, to: number])[], state: WayState): void {
    for (const [from, to] of ways) {
      for (const proxy of this.#ways.get(`${from} ${to}`) ?? []) proxy.set(state);
    }
  }

  slow(): void {}

  heal(): void {
    for (const pair of this.#ways.values()) for (const proxy of pair) proxy.set('open');
  }

  close(): void {
    for (const pair of this.#ways.values()) for (const proxy of pair) proxy.close();
  }
}
