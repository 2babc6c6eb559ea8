import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type DigestHash,
  type DiskError,
  parseQuorumConfig,
  Replica,
  type ReplicaEvents,
} from '@meerkat/engine';
import { formatLong, formatZxid } from '@meerkat/protocol';
import { ConfigurationError } from './configuration/configuration-error.ts';
import type { ServerConfig } from './configuration/server-config.ts';
import { pointToDynamicFile } from './configuration/static-configuration.ts';
import { ConnectionThrottle } from './connection-throttle.ts';
import { DataDirectoryLock, DirectoryLockedError } from './data-directory-lock.ts';
import { digestHashOf } from './digest-hash.ts';
import { withDiskAdvice } from './disk-advice.ts';
import { logEnsemble } from './ensemble-log.ts';
import { ExitCode } from './exit-codes.ts';
import { FourLetterWords } from './four-letter-words/four-letter-words.ts';
import { ReplicaView } from './four-letter-words/replica-view.ts';
import { ClientListener } from './listener/client-listener.ts';
import type { Log } from './logging/log.ts';
import { diskErrorOf } from './ports/disk-failure.ts';
import { makeDirectories } from './ports/make-directories.ts';
import { NodeClock } from './ports/node-clock.ts';
import { NodeDisk } from './ports/node-disk.ts';
import { NodeNetwork } from './ports/node-network.ts';
import { NodePeerNetwork } from './ports/node-peer-network.ts';
import { NodeRandom } from './ports/node-random.ts';
import { PurgeTask } from './purge-task.ts';
import { Turn } from './turn.ts';

/** A server that serves. */
export interface RunningServer {
  /** The port in use; the system's choice when `clientPort` is 0. */
  readonly port: number;
  readonly replica: Replica;
  /** Settles when the server cannot go on by itself; never after `stop`. */
  readonly failed: Promise<ExitCode>;
  /** Lets clients go, makes what is in the log durable, and gives the directories back. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a server in this process: takes the data directories and the port, then brings the
 * database back. Clients that come meanwhile wait.
 *
 * @throws ConfigurationError, DirectoryLockedError, StorageError, DiskError, or the system's error
 *   when the port cannot be had
 */
export async function startServer(config: ServerConfig, log: Log): Promise<RunningServer> {
  const digestHash = requireDigestHash(config);
  const locks = await lockDirectories(config);
  try {
    const server = new Server(config, log, digestHash, locks);
    await server.start();
    return server;
  } catch (error) {
    for (const lock of locks) lock.release();
    throw error;
  }
}

class Server implements RunningServer {
  readonly #log: Log;
  readonly #locks: readonly DataDirectoryLock[];
  readonly #clock = new NodeClock();
  readonly #disk = new NodeDisk();
  readonly #network: NodeNetwork;
  readonly #peers: NodePeerNetwork;
  readonly #listener: ClientListener;
  readonly #view: ReplicaView;
  readonly #config: ServerConfig;
  #purge: PurgeTask | null = null;
  #fail: (code: ExitCode) => void = () => {};
  #stopping: Promise<void> | null = null;
  readonly replica: Replica;
  readonly failed: Promise<ExitCode>;
  port = 0;

  constructor(
    config: ServerConfig,
    log: Log,
    digestHash: DigestHash,
    locks: readonly DataDirectoryLock[],
  ) {
    this.#config = config;
    this.#log = log;
    this.#locks = locks;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    const random = new NodeRandom();
    const throttle = new ConnectionThrottle(config.replica.connectionThrottle, this.#clock, random);
    const turn = new Turn(() => this.replica.onTurnEnd());
    this.#network = new NodeNetwork({
      clock: this.#clock,
      turn,
      events: {
        onClientOpened: (id, info) => this.replica.onClientOpened(id, info),
        onClientBytes: (id, bytes, start, end) => {
          this.replica.onClientBytes(id, bytes, start, end);
        },
        onClientClosed: (id) => this.replica.onClientClosed(id),
      },
      words: {
        isWord: (code) => this.#words.isWord(code),
        argumentBytes: (code) => this.#words.argumentBytes(code),
        onWord: (connection, code, argument) => this.#words.onWord(connection, code, argument),
      },
      handshakeMs: config.listener.handshakeMs,
      onGone: (connection) => this.#listener.onGone(connection),
      onHandshakeMissed: (connection) => this.#listener.onHandshakeMissed(connection),
    });
    this.#listener = new ClientListener(config.listener, this.#network, log);
    this.#peers = new NodePeerNetwork(config.peers.keepAlive, () => turn.arm());
    const isLocal = config.replica.ensemble?.localSessionsEnabled === true;
    const newSessionKind = isLocal ? 'local' : 'global';
    this.replica = new Replica(
      {
        clock: this.#clock,
        network: this.#network,
        disk: this.#disk,
        random,
        peers: this.#peers,
      },
      config.replica,
      this.#events(),
      {
        digestHash,
        admitSession: (isRenewal) => throttle.letsIn(isRenewal ? 'renew' : newSessionKind),
      },
    );
    this.#view = new ReplicaView(this.replica, this.#clock);
    this.#words = new FourLetterWords(
      {
        view: this.#view,
        config,
        clientPort: () => this.port,
        connections: () => this.#network.connections,
        listenerCounters: () => this.#listener.counters,
        dropProbability: () => throttle.dropProbability,
        traceMask: defaultTraceMask,
      },
      log,
    );
  }

  readonly #words: FourLetterWords;

  async start(): Promise<void> {
    this.port = await this.#listener.listen();
    try {
      const report = this.replica.start();
      this.#purge = new PurgeTask(
        { clock: this.#clock, disk: this.#disk },
        this.#config.replica.snapshot,
        report.directories,
        this.#log,
      );
    } catch (error) {
      this.#letGo();
      throw error;
    }
    this.#purge.start();
    this.#view.isUp = true;
  }

  stop(): Promise<void> {
    this.#stopping ??= new Promise((resolve) => {
      this.#view.isUp = false;
      this.#listener.close();
      this.#purge?.stop();
      this.replica.stop(() => {
        this.#letGo();
        this.#releaseLocks();
        resolve();
      });
    });
    return this.#stopping;
  }

  #letGo(): void {
    this.#listener.close();
    this.#network.destroyAll();
    this.#peers.destroyAll();
    this.#clock.cancelAll();
  }

  #releaseLocks(): void {
    for (const lock of this.#locks) lock.release();
  }

  #events(): ReplicaEvents {
    const log = this.#log;
    return {
      onRecovered(report, orphans) {
        for (const { file, reason } of report.skippedSnapshots) {
          log.warn('a snapshot could not be used, an older one serves', { file, reason });
        }
        for (const repair of report.repairs)
          log.warn('the end of a log was repaired', { ...repair });
        log.info('the database is back', {
          zxid: formatZxid(report.lastZxid),
          snapshot: report.snapshot === null ? null : formatZxid(report.snapshot.zxid),
          transactions: report.replay?.recordCount ?? 0,
          orphans,
        });
      },
      onLogFailed: (error) => this.#onLogFailed(error),
      onSlowSync(elapsedMs) {
        log.remark('slow-sync', 'the disk took long to make a write durable', { elapsedMs });
      },
      onSnapshotWritten(snapshot) {
        log.info('a snapshot was written', { ...snapshot, zxid: formatZxid(snapshot.zxid) });
      },
      onSnapshotFailed(error) {
        log.error('a snapshot could not be written; the log keeps everything', {
          error: error.message,
        });
      },
      onClientRefused(kind, connection, address, detail) {
        log.remark(kind, 'a client was refused', { kind, connection, address, detail });
      },
      onSessionExpired(idHi, idLo, timeoutMs) {
        log.debug('a session expired', { session: formatLong(idHi, idLo), timeoutMs });
      },
      onSoftQuotaExceeded(path) {
        log.remark('soft-quota', 'a write went over a soft quota', { path });
      },
      ensemble: logEnsemble(log, this.#config.replica.serverId, {
        onRole: (role, detail) => this.#view.member?.onRole(role, detail),
        onEnsembleFailed: (exitCode) => this.#end(exitCode as ExitCode),
        onMembersChanged: (text, version) => this.#keepMembers(text, version),
      }),
    };
  }

  /** The engine has written the members to a file; the next start must find it. */
  #keepMembers(text: string, version: number): void {
    const { file, replica } = this.#config;
    const dynamicFile = replica.ensemble?.dynamicFile ?? null;
    if (file === null || dynamicFile === null) return;
    const own = parseQuorumConfig(text).members.get(replica.serverId);
    const path = `${resolve(dynamicFile)}.${version.toString(16)}`;
    try {
      pointToDynamicFile(file, path, (own?.client ?? null) !== null);
    } catch (error) {
      this.#log.error('the members could not be written to the configuration: do it by hand', {
        file,
        line: `dynamicConfigFile=${path}`,
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }

  /** What was not acknowledged is not promised: ending here loses nothing. */
  #onLogFailed(error: DiskError): void {
    this.#log.fatal(
      'the transaction log cannot be written: the server ends; look after the disk, then start it again',
      { error: withDiskAdvice(error.message) },
    );
    this.#end(ExitCode.unexpected);
  }

  /** The server cannot go on, the process is about to end. */
  #end(code: ExitCode): void {
    this.#view.isUp = false;
    this.#letGo();
    this.#releaseLocks();
    this.#fail(code);
  }
}

/** `ZooTrace.java`: client requests, sessions, and warnings; nothing here looks at it. */
const defaultTraceMask = 306n;

function requireDigestHash(config: ServerConfig): DigestHash {
  const { algorithm } = config.replica.digestAuth;
  const hash = digestHashOf(algorithm);
  if (hash !== null) return hash;
  throw new ConfigurationError(
    { file: config.file ?? 'arguments', line: 0 },
    `Cannot set DigestAuthenticationProvider.digestAlg: current value is ${algorithm}; it must be a hash that node has, such as SHA1 or SHA-256`,
  );
}

/** Takes both data directories, making them first when that is allowed. */
async function lockDirectories(config: ServerConfig): Promise<readonly DataDirectoryLock[]> {
  const { dataDir, dataLogDir, snapshot } = config.replica;
  const locks: DataDirectoryLock[] = [];
  try {
    for (const directory of new Set([dataDir, dataLogDir])) {
      if (snapshot.datadirAutocreate) makeDirectory(directory);
      // One that is missing is the engine's to complain about.
      if (existsSync(directory)) locks.push(await lockDirectory(directory));
    }
  } catch (error) {
    for (const lock of locks) lock.release();
    throw error;
  }
  return locks;
}

function makeDirectory(directory: string): void {
  try {
    makeDirectories(directory);
  } catch (error) {
    throw diskErrorOf(error, directory, 'make the directory');
  }
}

async function lockDirectory(directory: string): Promise<DataDirectoryLock> {
  try {
    return await DataDirectoryLock.acquire(directory);
  } catch (error) {
    if (error instanceof DirectoryLockedError) throw error;
    throw diskErrorOf(error, directory, 'write to the directory');
  }
}
