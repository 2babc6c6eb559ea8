import { errorName } from '@meerkat/protocol';
import { Histogram } from './histogram.ts';

/** What the connections of a load report to. */
export class Recorder {
  /** Latencies of all answered requests, errors included. */
  readonly latencies: Histogram = new Histogram();
  /** Connections that ended before their load did. */
  connectionsLost = 0;
  /** Requests in flight on them. */
  requestsLost = 0;
  /** Why the last connection was lost. */
  lastLoss = '';
  readonly #errors = new Map<number, number>();

  /** Counts an answer with an error code. */
  countError(code: number): void {
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
  }

  /** Counts a connection that ended too early. */
  countLoss(requests: number, reason: string): void {
    this.connectionsLost++;
    this.requestsLost += requests;
    this.lastLoss = reason;
  }

  /** Answers with an error, in all. */
  get errorCount(): number {
    let count = 0;
    for (const each of this.#errors.values()) count += each;
    return count;
  }

  /** Answers with an error, by ZooKeeper's names. */
  errorsByName(): Record<string, number> {
    return Object.fromEntries([...this.#errors].map(([code, count]) => [errorName(code), count]));
  }

  /** Forgets everything: the warm-up is over. */
  clear(): void {
    this.latencies.clear();
    this.connectionsLost = 0;
    this.requestsLost = 0;
    this.#errors.clear();
  }
}
