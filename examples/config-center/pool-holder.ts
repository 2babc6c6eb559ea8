import { type Connection, createConnection, createPool, type Pool } from 'mariadb';
import type { PoolSettings } from './settings.ts';

/**
 * The pool of the moment. It can be replaced while it is used: whoever has begun with the old one ends with it, and it is
 * closed when the last one is done.
 */
export class PoolHolder implements AsyncDisposable {
  #held: HeldPool;

  private constructor(held: HeldPool) {
    this.#held = held;
  }

  /** Makes the first pool. @throws the driver's error when the database cannot be reached by these settings */
  static async start(settings: PoolSettings): Promise<PoolHolder> {
    return new PoolHolder(await tried(settings));
  }

  /** Runs something with a connection of the present pool. */
  async use<T>(query: (connection: Connection) => Promise<T>): Promise<T> {
    const held = this.#held;
    held.users++;
    try {
      const connection = await held.pool.getConnection();
      try {
        return await query(connection);
      } finally {
        await connection.release();
      }
    } finally {
      held.users--;
      if (held.users === 0) held.tellIdle();
    }
  }

  /**
   * Moves over to a pool with other settings. Returns once the old one is closed.
   *
   * @throws the driver's error when they do not work; the old pool stays then
   */
  async replace(settings: PoolSettings): Promise<void> {
    const next = await tried(settings);
    const old = this.#held;
    this.#held = next;
    await ended(old);
  }

  /** Closes the pool when the last user is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    await ended(this.#held);
  }
}

interface HeldPool {
  readonly pool: Pool;
  users: number;
  tellIdle: () => void;
}

/** A pool whose settings have been tried: by a single connection, which fails at once where a pool tries again. */
async function tried(settings: PoolSettings): Promise<HeldPool> {
  const { connectionsMax, ...connection } = settings;
  const probe = await createConnection(connection);
  await probe.end();
  const pool = createPool({ ...connection, connectionLimit: connectionsMax });
  return { pool, users: 0, tellIdle: () => {} };
}

async function ended(held: HeldPool): Promise<void> {
  if (held.users > 0) {
    await new Promise<void>((resolve) => {
      held.tellIdle = resolve;
    });
  }
  await held.pool.end();
}
