import {
  type Clock,
  type DataDirectories,
  type Disk,
  type DiskError,
  Purge,
  type SnapshotConfig,
  type TimerListener,
} from '@meerkat/engine';
import type { Log } from './logging/log.ts';

/**
 * Removes old snapshots and logs from time to time (`DatadirCleanupManager.java`): once at the
 * start, then every `autopurge.purgeInterval`.
 */
export class PurgeTask implements TimerListener {
  readonly #clock: Clock;
  readonly #config: SnapshotConfig;
  readonly #directories: DataDirectories;
  readonly #purge: Purge;
  #timer = 0;

  constructor(
    ports: { readonly clock: Clock; readonly disk: Disk },
    config: SnapshotConfig,
    directories: DataDirectories,
    log: Log,
  ) {
    this.#clock = ports.clock;
    this.#config = config;
    this.#directories = directories;
    this.#purge = new Purge(ports.disk, {
      onPurged(count: number): void {
        if (count > 0) log.info('old snapshots and logs were removed', { files: count });
      },
      onPurgeFailed(path: string, error: DiskError): void {
        log.warn('an old file could not be removed', { path, error: error.message });
      },
    });
  }

  /** Begins; does nothing when the configuration says never. */
  start(): void {
    if (this.#config.purgeIntervalMs > 0) this.onTimer();
  }

  onTimer(): void {
    const { snapshots, logs } = this.#directories;
    this.#purge.start(snapshots, logs, this.#config.retainCount);
    // A timer of node takes 24 days at most.
    const intervalMs = Math.min(this.#config.purgeIntervalMs, 0x7fffffff);
    this.#timer = this.#clock.startTimer(intervalMs, this, 0);
  }

  stop(): void {
    this.#clock.cancelTimer(this.#timer);
  }
}
