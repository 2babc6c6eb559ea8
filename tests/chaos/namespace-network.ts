import { spawnSync } from 'node:child_process';
import {
  clients,
  type MemberAddress,
  type MembersNetwork,
  strangers,
  type WayState,
} from './members-network.ts';

/** What every name begins with that a run gives to something of the machine; the number of its process follows. */
export const namePrefix = 'mkchaos';
/** The same for links, whose names have room for fifteen characters. */
export const linkPrefix = 'mkc';
const clientPort = 2181;
const quorumPort = 2888;
const electionPort = 3888;
/** Nobody has this address: what is sent to it goes round the bridge and is lost. */
const nobody = '02:6d:6b:ff:ff:ff';
/** Delay and loss where the kernel has netem; a thin pipe with a long queue where it has not. */
const slownesses = [
  { words: ['netem', 'delay', '80ms', '60ms', 'loss', '2%'], what: 'netem, 80 ms and 2 % lost' },
  { words: ['tbf', 'rate', '200kbit', 'burst', '4kb', 'latency', '2s'], what: 'tbf, 200 kbit/s' },
];

/**
 * A network namespace for each member, with a link to one bridge, where the clients are too. A packet from one to the
 * other is lost on its way when the sender's table has the wrong hardware address of the receiver: each direction by
 * itself, for connections that stand as for new ones, and neither end hears of it.
 */
export class NamespaceNetwork implements MembersNetwork {
  readonly description = 'a network namespace for each member';
  readonly hasClientWays = true;
  readonly slowness: string | null;
  readonly #ids: readonly number[];
  /** Of everybody who has a namespace. */
  readonly #places: readonly number[];
  readonly #slowWords: readonly string[];
  readonly #slow = new Set<number>();
  readonly #subnet: string;
  readonly #onExit = (): void => this.#takeAway();
  #isUp = true;

  /** @returns why the machine does not allow it, or the network */
  static open(ids: readonly number[]): NamespaceNetwork | string {
    if (process.platform !== 'linux') return `this is ${process.platform}`;
    if (process.getuid?.() !== 0) return 'only root may make network namespaces';
    if (spawnSync('ip', ['-V']).status !== 0) return 'there is no ip command';
    const network = new NamespaceNetwork(ids);
    const reason = network.#setUp();
    if (reason === null) return network;
    network.close();
    return reason;
  }

  private constructor(ids: readonly number[]) {
    this.#ids = ids;
    this.#places = [...ids, strangers];
    this.#subnet = `10.213.${process.pid % 256}`;
    const slowness = slownesses.find(({ words }) => hasQueue(words));
    this.slowness = slowness?.what ?? null;
    this.#slowWords = slowness?.words ?? [];
    process.once('exit', this.#onExit);
  }

  addressOf(id: number): MemberAddress {
    return {
      host: this.#hostOf(id),
      launcher: ['ip', 'netns', 'exec', namespaceOf(id)],
      clientPort,
      servers: this.#ids.map((other) => {
        return `server.${other}=${this.#hostOf(other)}:${quorumPort}:${electionPort}:participant`;
      }),
    };
  }

  /** Shuts, or opens, ways for the packets from each `from` to its `to`. */
  setWays(ways: readonly (readonly [from: number, to: number])[], state: WayState): void {
    // The end of a connection is told to the other side, so it comes before the silence.
    if (state === 'cut') for (const [from, to] of ways) this.#endConnections(from, to);
    for (const from of [clients, ...this.#places]) {
      const lines = ways
        .filter((way) => way[0] === from && way[1] !== from)
        .map(([, to]) => this.#neighbour(from, to, state === 'open'));
      if (lines.length > 0) batch(from, lines);
    }
  }

  slow(id: number): void {
    if (this.#slowWords.length === 0) return;
    this.#slow.add(id);
    run('tc', [
      '-n',
      namespaceOf(id),
      'qdisc',
      'replace',
      'dev',
      'eth0',
      'root',
      ...this.#slowWords,
    ]);
  }

  heal(): void {
    for (const id of this.#slow) {
      run('tc', ['-n', namespaceOf(id), 'qdisc', 'del', 'dev', 'eth0', 'root']);
    }
    this.#slow.clear();
    const all = [clients, ...this.#places];
    for (const from of all) {
      const others = all.filter((id) => id !== from);
      batch(
        from,
        others.map((to) => this.#neighbour(from, to, true)),
      );
    }
  }

  close(): void {
    process.removeListener('exit', this.#onExit);
    this.#takeAway();
  }

  /** @returns what failed, null when everything is there */
  #setUp(): string | null {
    const bridge = bridgeName();
    const steps: string[][] = [
      ['link', 'add', bridge, 'address', hardwareOf(clients), 'type', 'bridge'],
      ['address', 'add', `${this.#hostOf(clients)}/24`, 'dev', bridge],
      ['link', 'set', bridge, 'up'],
    ];
    for (const id of this.#places) {
      const [namespace, link] = [namespaceOf(id), linkOf(id)];
      const inside = ['-n', namespace];
      steps.push(
        ['netns', 'add', namespace],
        ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace],
        ['link', 'set', link, 'master', bridge],
        ['link', 'set', link, 'up'],
        [...inside, 'link', 'set', 'lo', 'up'],
        [...inside, 'link', 'set', 'eth0', 'address', hardwareOf(id)],
        [...inside, 'address', 'add', `${this.#hostOf(id)}/24`, 'dev', 'eth0'],
        [...inside, 'link', 'set', 'eth0', 'up'],
      );
    }
    for (const step of steps) {
      const reason = run('ip', step);
      if (reason !== null) return `"ip ${step.join(' ')}" says: ${reason}`;
    }
    this.heal();
    return null;
  }

  #neighbour(from: number, to: number, isRight: boolean): string {
    const device = from === clients ? bridgeName() : 'eth0';
    const hardware = isRight ? hardwareOf(to) : nobody;
    return `neighbour replace ${this.#hostOf(to)} lladdr ${hardware} dev ${device} nud permanent`;
  }

  /** Resets what connections there are; without `ss`, or a kernel that does it, they are only silent. */
  #endConnections(from: number, to: number): void {
    const killing = ['-K', '-t', 'dst', this.#hostOf(to)];
    if (from === clients) run('ss', killing);
    else run('ip', ['netns', 'exec', namespaceOf(from), 'ss', ...killing]);
  }

  #hostOf(id: number): string {
    return `${this.#subnet}.${id === clients ? 254 : id}`;
  }

  #takeAway(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    for (const id of this.#places) {
      // The kernel takes the link away with the namespace, but in its own time.
      run('ip', ['link', 'del', linkOf(id)]);
      run('ip', ['netns', 'del', namespaceOf(id)]);
    }
    run('ip', ['link', 'del', bridgeName()]);
  }
}

/** The namespace of a member of a run. */
function namespaceOf(id: number): string {
  return `${namePrefix}-${process.pid}-${id}`;
}

function bridgeName(): string {
  return `${namePrefix}${process.pid}`;
}

/** The bridge's end of a member's link. */
function linkOf(id: number): string {
  return `${linkPrefix}${process.pid}-${id}`;
}

function hardwareOf(id: number): string {
  return `02:6d:6b:00:00:${(id === clients ? 254 : id).toString(16).padStart(2, '0')}`;
}

/** Whether the kernel has this way of queueing: tried where nothing is sent. */
function hasQueue(words: readonly string[]): boolean {
  const namespace = `${namePrefix}-${process.pid}-try`;
  if (run('ip', ['netns', 'add', namespace]) !== null) return false;
  const reason = run('tc', ['-n', namespace, 'qdisc', 'add', 'dev', 'lo', 'root', ...words]);
  run('ip', ['netns', 'del', namespace]);
  return reason === null;
}

function batch(from: number, lines: readonly string[]): void {
  const inside = from === clients ? [] : ['-n', namespaceOf(from)];
  const args = [...inside, '-batch', '-'];
  const { status, stderr } = spawnSync('ip', args, { input: lines.join('\n'), encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot change the network: ${stderr.trim()}`);
}

/** @returns what it says when it fails, otherwise null */
function run(command: string, args: readonly string[]): string | null {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return null;
  return error?.message ?? stderr.trim();
}
