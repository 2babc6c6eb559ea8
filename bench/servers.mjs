// The servers that are measured: Meerkat and the Java server, started alike.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

/** @typedef {'java' | 'meerkat'} Target */
/**
 * @typedef {object} ServerOptions
 * @property {Target} target
 * @property {string} dataDirectory made when it does not exist
 * @property {Record<string, string | number>} [config] lines of zoo.cfg, beside those that all servers have
 * @property {string[]} [nodeArguments] for Meerkat
 * @property {string} [heap] for Java, as -Xmx takes it
 */

const meerkat = fileURLToPath(new URL('../packages/cli/bin/meerkat.js', import.meta.url));
/** Clock ticks per second in /proc, fixed by Linux's interface. */
const ticksPerSecond = 100;
/** The answer to a handshake has 41 bytes, that to exists of the root 88. */
const bothAnswersBytes = 41 + 88;
const attemptEveryMs = 5;
const attemptsMax = 20;

/** Where Debian's packages zookeeper and libzookeeper-java put the server. */
const classPath =
  process.env.ZOOKEEPER_CLASSPATH ??
  ['zookeeper', 'zookeeper-jute', 'slf4j-simple']
    .map((name) => `/usr/share/java/${name}.jar`)
    .join(':');

/** What must not outlive this process. @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A server in a process of its own. */
export class ServerProcess {
  /** @type {import('node:child_process').ChildProcess} */
  #child;
  #output = '';

  /**
   * @param {ServerOptions} options
   * @param {number} port
   */
  constructor(options, port) {
    this.target = options.target;
    this.port = port;
    this.dataDirectory = options.dataDirectory;
    /** From the start of the process to the first answered request, ms. */
    this.startMs = Number.NaN;
    this.#child = this.#spawn(options);
  }

  /**
   * Starts a server and returns when it has answered a request.
   * @param {ServerOptions} options
   */
  static async start(options) {
    const port = await freePort();
    const startedAtMs = performance.now();
    const server = new ServerProcess(options, port);
    await server.#untilAnswering();
    server.startMs = performance.now() - startedAtMs;
    return server;
  }

  get address() {
    return `127.0.0.1:${this.port}`;
  }

  get pid() {
    return /** @type {number} */ (this.#child.pid);
  }

  /** What the server has written to stdout and stderr. */
  get output() {
    return this.#output;
  }

  /** Memory in RAM, in bytes. */
  residentBytes() {
    return (
      Number(execFileSync('ps', ['-o', 'rss=', '-p', String(this.pid)], { encoding: 'utf8' })) *
      1024
    );
  }

  /** Processor time used so far, ms. */
  cpuMs() {
    const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
  }

  /**
   * A number that the server reports, by its name in `mntr`.
   * @param {string} name
   * @returns {Promise<number>}
   */
  async monitored(name) {
    return Number((await this.monitoredText(name)) ?? Number.NaN);
  }

  /**
   * The same as a text; undefined when the server does not report it.
   * @param {string} name
   * @returns {Promise<string | undefined>}
   */
  async monitoredText(name) {
    const text = await fourLetterWord(this.port, 'mntr');
    return new RegExp(`^${name}\\t(.*)$`, 'm').exec(text)?.[1];
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.#child.kill(signal);
  }

  /** Ends the server in an orderly way. */
  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 30_000);
    await ended;
    clearTimeout(timer);
  }

  /** @param {ServerOptions} options */
  #spawn(options) {
    const { target, dataDirectory, config = {}, nodeArguments = [], heap = '1g' } = options;
    mkdirSync(dataDirectory, { recursive: true });
    const file = join(dataDirectory, `${target}.cfg`);
    const lines = {
      dataDir: dataDirectory,
      clientPort: this.port,
      clientPortAddress: '127.0.0.1',
      tickTime: 2000,
      maxClientCnxns: 0,
      forceSync: 'yes',
      'admin.enableServer': 'false',
      '4lw.commands.whitelist': '*',
      ...config,
    };
    writeFileSync(
      file,
      Object.entries(lines)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
    /** @type {[string, string[]]} */
    const [command, args] =
      target === 'java'
        ? [
            'java',
            [
              `-Xmx${heap}`,
              '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
              '-cp',
              classPath,
              'org.apache.zookeeper.server.quorum.QuorumPeerMain',
              file,
            ],
          ]
        : [process.execPath, [...nodeArguments, meerkat, 'server', file]];
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (/** @type {Buffer} */ chunk) => {
      this.#output = (this.#output + chunk.toString('utf8')).slice(-100_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  }

  /**
   * Tries again and again, without waiting for the attempt before: a server that listens before it
   * serves may leave the early ones without an answer.
   * @returns {Promise<void>}
   */
  #untilAnswering() {
    return new Promise((resolve, reject) => {
      const attempts = new Set();
      /** @param {Error} [failure] */
      const settle = (failure) => {
        clearInterval(timer);
        clearTimeout(deadline);
        if (failure === undefined) resolve();
        else reject(failure);
      };
      const attempt = () => {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
          settle(new Error(`Cannot measure: the ${this.target} server ended\n${this.#output}`));
        }
        if (attempts.size >= attemptsMax) return;
        const answered = answers(this.port);
        attempts.add(answered);
        void answered.then((isServing) => {
          attempts.delete(answered);
          if (isServing) settle();
        });
      };
      const timer = setInterval(attempt, attemptEveryMs);
      const deadline = setTimeout(() => {
        settle(
          new Error(`Cannot measure: the ${this.target} server does not answer\n${this.#output}`),
        );
      }, 300_000);
    });
  }
}

/** Whether the Java server can be started here. */
export function hasJava() {
  return classPath.split(':').every((jar) => existsSync(jar));
}

/**
 * Calls `use` with a directory that is removed afterwards.
 * @template T
 * @param {string} parent on the disk to measure
 * @param {(directory: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withDirectory(parent, use) {
  const directory = mkdtempSync(join(parent, 'meerkat-bench-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Whether the server opens a session and answers a request in it. A server that listens before it
 * serves keeps the connection waiting, or cuts it.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = 0;
    socket.once('connect', () => socket.write(Buffer.concat([connectRequest(), existsRequest()])));
    socket.on('data', (chunk) => {
      received += chunk.length;
      if (received < bothAnswersBytes) return;
      resolve(true);
      socket.end(closeRequest());
    });
    socket.once('error', () => {});
    socket.once('close', () => resolve(false));
    socket.setTimeout(2_000, () => socket.destroy());
  });
}

/**
 * @param {number} port
 * @param {string} word
 * @returns {Promise<string>}
 */
function fourLetterWord(port, word) {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(word));
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}

function connectRequest() {
  const frame = Buffer.alloc(4 + 45);
  frame.writeInt32BE(45, 0);
  frame.writeInt32BE(30_000, 16);
  frame.writeInt32BE(16, 28);
  return frame;
}

function existsRequest() {
  const frame = Buffer.alloc(4 + 14);
  frame.writeInt32BE(14, 0);
  frame.writeInt32BE(1, 4);
  frame.writeInt32BE(3, 8);
  frame.writeInt32BE(1, 12);
  frame.write('/', 16);
  return frame;
}

function closeRequest() {
  const frame = Buffer.alloc(12);
  frame.writeInt32BE(8, 0);
  frame.writeInt32BE(2, 4);
  frame.writeInt32BE(-11, 8);
  return frame;
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}
