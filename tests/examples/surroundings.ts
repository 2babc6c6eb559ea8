import type { ZooKeeper } from '@meerkat/client';
import type { TestEnsemble } from '@meerkat/testing';

/* What examples take for granted: a client, and a program around them. */

/** Its declarations. What a program would do is left open. */
export const surroundingsDeclarations = `
import type { WatchEvent, ZooKeeper, ZooKeeperError } from '@meerkat/client';
import type { TelemetryTracer } from '@meerkat/client/opentelemetry';
import type { StandardSchema } from '@meerkat/client/recipes';
import type { TestEnsemble } from '@meerkat/testing';
type Anything = (...values: unknown[]) => Promise<void>;
declare global {
  const zk: ZooKeeper;
  const ensemble: TestEnsemble;
  const signal: AbortSignal;
  const hostname: string;
  const host: string;
  const request: object;
  const a: string;
  const b: string;
  const pool: { readonly isOpen: boolean };
  const data: string;
  const version: number;
  const watcher: (event: WatchEvent) => void;
  const callback: () => void;
  const error: ZooKeeperError;
  const passphrase: string;
  const password: string;
  const tracer: TelemetryTracer;
  const userSchema: StandardSchema<User>;
  const poolSchema: StandardSchema<{ connectionsMax: number }>;
  interface User { readonly name: string; readonly logins: number }
  const z: {
    object(members: object): StandardSchema<object>;
    number(): StandardSchema<number>;
    string(): StandardSchema<string> & { default(value: string): StandardSchema<string> };
  };
  const clean: Anything;
  const cleanForAWhile: Anything;
  const compute: Anything;
  const load: Anything;
  const rebalance: Anything;
  const rebuild: Anything;
  const resize: Anything;
  const runReport: Anything;
  const schedule: Anything;
  const show: Anything;
  const update: Anything;
  const apply: (value: unknown) => void;
  const parse: (bytes: Uint8Array | null) => object;
}
`;

/** Their values, for those that are run. */
export function surroundingsOf(
  ensemble: TestEnsemble,
  zk: ZooKeeper,
  signal: AbortSignal,
): Record<string, unknown> {
  const anything = (): Promise<void> => Promise.resolve();
  return {
    ...Object.fromEntries(actions.map((name) => [name, anything])),
    ensemble,
    zk,
    signal,
    hostname: 'host-1',
    host: 'host-1',
    request: {},
    a: 'a',
    b: 'b',
    pool: { isOpen: true },
    parse: () => ({}),
    fetch: () => Promise.resolve(new Response('ok')),
    poolSchema: anySchema,
    z: {
      object: () => anySchema,
      number: () => anySchema,
      string: () => ({ ...anySchema, default: () => anySchema }),
    },
  };
}

/** Stands for what nobody declares: can be called, has every member, and is nothing when awaited. */
export const anythingAtAll: unknown = new Proxy(() => {}, {
  get: (_target, name) => (typeof name === 'symbol' || name === 'then' ? undefined : anythingAtAll),
  apply: () => anythingAtAll,
});

/** A validator that takes everything. */
const anySchema = {
  '~standard': { version: 1, vendor: 'examples', validate: (value: unknown) => ({ value }) },
};

/** What a program would do. */
const actions = [
  'apply',
  'clean',
  'cleanForAWhile',
  'compute',
  'load',
  'rebalance',
  'rebuild',
  'resize',
  'runReport',
  'schedule',
  'show',
  'update',
];
