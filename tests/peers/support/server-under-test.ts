import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { track } from './child-processes.ts';
import { isServing } from './four-letter-words.ts';
import { meerkatPath, temporaryDirectory } from './paths.ts';
import { zooKeeperClassPath } from './peers.ts';

/** Which server answers: the Java original or ours. */
export type Target = 'java' | 'meerkat';

/**
 * The server that the peers' tests talk to. `PEER_TARGET=java` runs the same tests against the Java server,
 * which shows that a test demands nothing that ZooKeeper itself does not do.
 */
export const defaultTarget: Target = process.env.PEER_TARGET === 'java' ? 'java' : 'meerkat';

/** What a server is started with. */
export interface ServerOptions {
  /** Default: `defaultTarget`. */
  readonly target?: Target;
  /** Lines added to the generated zoo.cfg; they win over the defaults there. */
  readonly config?: Readonly<Record<string, string | number>>;
  /**
   * What Java takes as JVM properties (-Dkey=value). Meerkat reads the same keys from zoo.cfg, so for it they
   * are written there.
   */
  readonly systemProperties?: Readonly<Record<string, string | number>>;
  /** Directory with an existing `data` directory to start from. Default: a fresh temporary one. */
  readonly directory?: string;
}

/** The file and process names differ; everything a test does with a server does not. */
export class ServerUnderTest {
  readonly target: Target;
  readonly directory: string;
  /** Holds version-2 with logs and snapshots. */
  readonly dataDirectory: string;
  #options: ServerOptions;
  #port = 0;
  #process: ChildProcess | undefined;
  #log = '';

  private constructor(options: ServerOptions) {
    this.#options = options;
    this.target = options.target ?? defaultTarget;
    this.directory = options.directory ?? temporaryDirectory(this.target);
    this.dataDirectory = join(this.directory, 'data');
    mkdirSync(this.dataDirectory, { recursive: true });
  }

  /** Starts a server and returns when it serves requests. */
  static async start(options: ServerOptions = {}): Promise<ServerUnderTest> {
    const server = new ServerUnderTest(options);
    await server.restart();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** `127.0.0.1:port`, as clients take it. */
  get connectString(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Process id, or undefined while the server is down. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Everything the server has written to stdout and stderr since the first start. */
  get log(): string {
    return this.#log;
  }

  /**
   * Starts the process again on the same directory and, if it is free, the same port; returns when it serves.
   * `options` replace the configuration, so that a test may start with digests off what ran with digests on.
   */
  async restart(options?: Pick<ServerOptions, 'config' | 'systemProperties'>): Promise<void> {
    if (this.#process !== undefined) throw new Error('Cannot start the server: it is running');
    if (options !== undefined) this.#options = { ...this.#options, ...options };
    if (this.#port === 0) this.#port = await freePort();
    writeFileSync(join(this.directory, 'zoo.cfg'), this.#configuration());
    const [command, args] = this.#commandLine();
    this.#log += `--- ${command} ${args.join(' ')}\n`;
    const child = track(
      spawn(command, args, { cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    const append = (chunk: Buffer): void => {
      this.#log += chunk.toString('utf8');
    };
    child.stdout.on('data', append);
    child.stderr.on('data', append);
    child.once('exit', (code, signal) => {
      this.#log += `--- ended: ${signal ?? code}\n`;
      if (this.#process === child) this.#process = undefined;
    });
    this.#process = child;
    await this.#untilServing(child);
  }

  /** Ends the process in an orderly way (SIGTERM) and waits for it. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Ends the process as a power cut would (SIGKILL) and waits for it. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Last part of the log, for the message of a failing test. */
  logTail(charactersMax = 12_000): string {
    return this.#log.slice(-charactersMax);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await ended;
  }

  async #untilServing(child: ChildProcess): Promise<void> {
    const deadlineMs = performance.now() + 60_000;
    while (performance.now() < deadlineMs) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`The ${this.target} server ended while starting\n${this.logTail()}`);
      }
      if (await isServing(this.#port)) return;
      // The port is polled: nothing else tells a client when a foreign server begins to serve.
      await delay(20);
    }
    await this.kill();
    throw new Error(`The ${this.target} server did not serve within 60 s\n${this.logTail()}`);
  }

  #configuration(): string {
    const lines: Record<string, string | number> = {
      dataDir: this.dataDirectory,
      clientPort: this.#port,
      clientPortAddress: '127.0.0.1',
      tickTime: 2000,
      maxClientCnxns: 0,
      '4lw.commands.whitelist': '*',
      'admin.enableServer': 'false',
      preAllocSize: 256,
      ...this.#options.config,
      ...(this.target === 'meerkat' ? this.#options.systemProperties : {}),
    };
    return Object.entries(lines)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');
  }

  #commandLine(): [string, string[]] {
    if (this.target === 'meerkat') {
      return [process.execPath, [meerkatPath, 'server', join(this.directory, 'zoo.cfg')]];
    }
    const properties = Object.entries(this.#options.systemProperties ?? {});
    return [
      'java',
      [
        '-Xmx512m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-Xshare:auto',
        ...properties.map(([key, value]) => `-D${key}=${value}`),
        '-cp',
        zooKeeperClassPath,
        'org.apache.zookeeper.server.quorum.QuorumPeerMain',
        join(this.directory, 'zoo.cfg'),
      ],
    ];
  }
}

/**
 * Runs `use` with a started server and stops it afterwards; when `use` fails, the server's log is part of the error.
 */
export async function withServer<T>(
  options: ServerOptions,
  use: (server: ServerUnderTest) => Promise<T>,
): Promise<T> {
  const server = await ServerUnderTest.start(options);
  try {
    return await use(server);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`${text}\n--- log of the ${server.target} server\n${server.logTail()}`, {
      cause: error,
    });
  } finally {
    await server.stop();
  }
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
