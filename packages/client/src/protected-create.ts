import { ErrorCode } from '@meerkat/protocol';
import type { CreateOptions } from './call-options.ts';
import { NoNodeError, RequestTimeoutError, ZooKeeperError } from './errors.ts';
import type { Data } from './operations/values.ts';
import { childPath, nameOf, parentOf } from './paths.ts';
import type { ClientPorts, Random } from './ports.ts';
import type { RequestOptions } from './request.ts';

/** What a create that protects itself asks of its client. */
export interface CreateAccess {
  readonly ports: ClientPorts;
  create(path: string, value?: Data, options?: CreateOptions): Promise<string>;
  sync(path?: string, options?: RequestOptions): Promise<void>;
  getChildren(path: string, options?: RequestOptions): Promise<string[]>;
  connected(options?: RequestOptions): Promise<void>;
}

/**
 * Creates exactly one znode, however often the connection is lost on the way: under a name that nobody else can have
 * given, by which it is found when the answer was lost (Curator's `withProtection`).
 *
 * @returns the path
 */
export async function protectedCreate(
  zk: CreateAccess,
  path: string,
  value: Data | undefined,
  options: CreateOptions,
): Promise<string> {
  const limit = limited(zk, path, options);
  const { signal } = limit;
  const prefix = `_c_${uuid(zk.ports.random)}-`;
  const parent = parentOf(path);
  const ownPath = childPath(parent, prefix + nameOf(path));
  const { timeoutMs: _, protection: __, ...plain } = options;
  try {
    for (;;) {
      try {
        return await zk.create(ownPath, value, { ...plain, signal });
      } catch (error) {
        if (!isUnanswered(error)) throw error;
        const found = error.mayHaveHappened ? await find(zk, parent, prefix, signal) : null;
        if (found !== null) return childPath(parent, found);
      }
      await zk.connected({ signal });
    }
  } finally {
    limit.stop();
  }
}

/** A random UUID (version 4), from a client's own source of chance. */
export function uuid(random: Random): string {
  const words = [0, 0, 0, 0].map(() => random.below(0x1_0000_0000));
  const digits = words.map((word) => word.toString(16).padStart(8, '0')).join('');
  const variant = ((Number.parseInt(digits.charAt(16), 16) & 3) | 8).toString(16);
  const version4 = `${digits.slice(0, 12)}4${digits.slice(13, 16)}${variant}${digits.slice(17)}`;
  return version4.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The child whose name starts with `prefix`, null when there is none; asked until it is answered. */
async function find(
  zk: CreateAccess,
  parent: string,
  prefix: string,
  signal: AbortSignal,
): Promise<string | null> {
  for (;;) {
    try {
      await zk.connected({ signal });
      // In one write: the server that took over may be behind, and what the old one took may be on its way.
      const [, names] = await Promise.all([
        zk.sync(parent, { signal }),
        zk.getChildren(parent, { signal }),
      ]);
      return names.find((name) => name.startsWith(prefix)) ?? null;
    } catch (error) {
      if (error instanceof NoNodeError) return null;
      if (!isUnanswered(error)) throw error;
    }
  }
}

/** One signal for all attempts together, from the caller's signal and time. */
function limited(
  zk: CreateAccess,
  path: string,
  { signal, timeoutMs }: CreateOptions,
): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();
  const { clock } = zk.ports;
  const message = `Cannot create ${path}: no reply within ${timeoutMs} ms; it may still happen`;
  const onTimeout = (): void => controller.abort(new RequestTimeoutError({ path, message }));
  const timer = timeoutMs === undefined ? null : clock.startTimer(timeoutMs, onTimeout);
  return {
    signal: controller.signal,
    stop() {
      signal?.removeEventListener('abort', onAbort);
      if (timer !== null) clock.cancelTimer(timer);
    },
  };
}

function isUnanswered(error: unknown): error is ZooKeeperError {
  return error instanceof ZooKeeperError && error.code === ErrorCode.connectionLoss;
}
