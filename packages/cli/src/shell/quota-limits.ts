/** Where quotas are kept (`Quotas.java`). */
export const quotaRoot = '/zookeeper/quota';
export const limitName = 'zookeeper_limits';
export const statName = 'zookeeper_stats';

/** The znode that holds the limits of a subtree. */
export function limitPath(path: string): string {
  return `${quotaRoot}${path}/${limitName}`;
}

/** The znode that holds what a subtree uses. */
export function usagePath(path: string): string {
  return `${quotaRoot}${path}/${statName}`;
}

/**
 * The numbers of a quota or of what is used of it, as `StatsTrack.java` reads and writes them:
 * `count=4,bytes=5=;byteHardLimit=6;countHardLimit=7`, -1 for none. The odd `=` keeps servers before
 * 3.7 from reading on.
 */
export class QuotaLimits {
  readonly #values = new Map<string, number>();

  /** Reads what a znode holds; what is not a number counts as none. */
  static parse(data: Uint8Array | null): QuotaLimits {
    const limits = new QuotaLimits();
    const text = Buffer.from(data ?? []).toString('utf8');
    for (const pair of text.split(/[,;]+/)) {
      const [name = '', value = ''] = pair.split('=');
      if (name !== '') limits.#values.set(name, value === '' ? -1 : Number(value));
    }
    return limits;
  }

  /** A quota of which nothing is limited. */
  static none(): QuotaLimits {
    const limits = new QuotaLimits();
    for (const name of ['count', 'bytes', 'countHardLimit', 'byteHardLimit']) limits.set(name, -1);
    return limits;
  }

  get(name: string): number {
    return this.#values.get(name) ?? -1;
  }

  set(name: string, value: number): this {
    this.#values.set(name, value);
    return this;
  }

  toString(): string {
    const start = `count=${this.get('count')},bytes=${this.get('bytes')}`;
    const others = [...this.#values.keys()].filter((name) => name !== 'count' && name !== 'bytes');
    if (others.length === 0) return start;
    return `${start}=${others
      .sort()
      .map((name) => `;${name}=${this.get(name)}`)
      .join('')}`;
  }
}
