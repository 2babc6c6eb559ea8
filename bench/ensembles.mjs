// Ensembles of three that are measured: Meerkat's and the Java server's, started alike.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerProcess } from './servers.mjs';

const untilMs = 60_000;

/** Three members, each in a process of its own. */
export class EnsembleProcesses {
  /** @type {(ServerProcess | undefined)[]} */
  #members = [];
  /** @type {readonly number[]} */
  #clientPorts = [];
  /** @type {readonly import('./servers.mjs').ServerOptions[]} */
  #options = [];

  /**
   * Starts three members and returns when all of them serve.
   * @param {import('./servers.mjs').Target} target
   * @param {string} directory
   */
  static async start(target, directory) {
    const ensemble = new EnsembleProcesses();
    const ports = await freePorts(9);
    /** @type {Record<string, string | number>} */
    const config = { initLimit: 10, syncLimit: 5 };
    for (const index of [0, 1, 2]) {
      const address = `127.0.0.1:${ports[3 + index]}:${ports[6 + index]}`;
      config[`server.${index + 1}`] = `${address}:participant`;
    }
    ensemble.#clientPorts = ports.slice(0, 3);
    ensemble.#options = [1, 2, 3].map((id) => {
      const dataDirectory = join(directory, String(id));
      mkdirSync(dataDirectory, { recursive: true });
      writeFileSync(join(dataDirectory, 'myid'), `${id}\n`);
      return { target, dataDirectory, config };
    });
    for (let index = 0; index < 3; index++) ensemble.startMember(index);
    await ensemble.untilServing();
    return ensemble;
  }

  /** All members, as clients take them. */
  get address() {
    return this.#clientPorts.map((port) => `127.0.0.1:${port}`).join(',');
  }

  /** @param {number} index from 0 */
  startMember(index) {
    const options = /** @type {import('./servers.mjs').ServerOptions} */ (this.#options[index]);
    this.#members[index] = new ServerProcess(options, this.#clientPorts[index] ?? 0);
  }

  /** Kills a member (SIGKILL). @param {number} index from 0 */
  killMember(index) {
    this.#members[index]?.signal('SIGKILL');
  }

  /** The addresses of the other members. @param {number} index from 0 */
  addressWithout(index) {
    return this.#clientPorts
      .filter((_, other) => other !== index)
      .map((port) => `127.0.0.1:${port}`)
      .join(',');
  }

  /** The address of one member. @param {number} index from 0 */
  addressOf(index) {
    return `127.0.0.1:${this.#clientPorts[index]}`;
  }

  /** Kills a member and takes its data away, but for its id. @param {number} index from 0 */
  async wipeMember(index) {
    const dataDirectory = this.#options[index]?.dataDirectory ?? '';
    this.killMember(index);
    await this.#members[index]?.stop();
    rmSync(join(dataDirectory, 'version-2'), { recursive: true, force: true });
  }

  /** The member that leads, from 0. */
  async leader() {
    const states = await this.#states();
    return states.indexOf('leader');
  }

  /** Returns when every member has a leader. */
  async untilServing() {
    const deadline = performance.now() + untilMs;
    for (;;) {
      const states = await this.#states();
      const followers = states.filter((state) => state === 'follower').length;
      if (states.includes('leader') && followers === 2) return;
      if (performance.now() > deadline) {
        const outputs = this.#members.map((member) => member?.output ?? '').join('\n');
        throw new Error(
          `Cannot measure: the ensemble does not serve (${states.join()})\n${outputs}`,
        );
      }
      await delay(20);
    }
  }

  async stop() {
    for (const member of this.#members) await member?.stop();
  }

  #states() {
    return Promise.all(this.#members.map((member) => stateOf(member)));
  }
}

/** @param {ServerProcess | undefined} member */
async function stateOf(member) {
  try {
    return await member?.monitoredText('zk_server_state');
  } catch {
    return undefined;
  }
}

/**
 * @param {number} count
 * @returns {Promise<readonly number[]>}
 */
async function freePorts(count) {
  const probes = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(probes.map((probe) => portOf(probe)));
  await Promise.all(probes.map((probe) => new Promise((done) => probe.close(done))));
  return ports;
}

/**
 * @param {import('node:net').Server} probe
 * @returns {Promise<number>}
 */
function portOf(probe) {
  return new Promise((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      resolve(port);
    });
  });
}
