/** One server of a connect string. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Operations that a workload is mixed from. */
export const operationNames = ['get', 'exists', 'set', 'create', 'children', 'multi'] as const;

/** One of those operations. */
export type OperationName = (typeof operationNames)[number];

/** An operation and its share of the workload. */
export interface MixPart {
  readonly operation: OperationName;
  /** Relative to the sum over all parts. */
  readonly weight: number;
}

/** Everything that determines a run. */
export interface BenchOptions {
  /** The connections are spread over these in turn. */
  readonly hosts: readonly HostAndPort[];
  readonly mix: readonly MixPart[];
  readonly connections: number;
  /** Requests that each connection keeps in flight. */
  readonly depth: number;
  readonly payloadBytes: number;
  /** Znodes that the operations (all but create) pick from. */
  readonly keys: number;
  readonly durationMs: number;
  readonly warmUpMs: number;
  /** The znode that everything is created under. */
  readonly root: string;
  /** Writes in one multi. */
  readonly multiOperations: number;
  readonly sessionTimeoutMs: number;
  /** Leaves the znodes in place. */
  readonly keep: boolean;
}

const defaultPort = 2181;

/**
 * Reads `host:port,host:port`; a missing port is 2181, an IPv6 address stands in brackets.
 *
 * @throws Error when a part is no host
 */
export function parseHosts(text: string): HostAndPort[] {
  return text.split(',').map((part) => {
    const match = /^(?:\[([^\]]+)\]|([^:[\]/]+))(?::(\d{1,5}))?$/.exec(part.trim());
    const host = match?.[1] ?? match?.[2];
    const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
    if (host === undefined || port === 0 || port > 65535) {
      throw new Error(`Cannot use servers: current value is "${text}"; write host:port,host:port`);
    }
    return { host, port };
  });
}

/**
 * Reads a mix: one operation (`get`), `mix90` (90 % get, the rest set), or weights
 * (`get:80,set:15,create:5`).
 *
 * @throws Error when it is none of these
 */
export function parseMix(text: string): MixPart[] {
  const percentOfReads = /^mix(\d{1,3})$/.exec(text)?.[1];
  const parts =
    percentOfReads === undefined
      ? text.split(',').map(parseMixPart)
      : mixOfReads(Number(percentOfReads));
  const usable = parts.filter((part): part is MixPart => part !== undefined && part.weight > 0);
  if (parts.includes(undefined) || usable.length === 0) {
    throw new Error(
      `Cannot use mix: current value is "${text}"; write one of ${operationNames.join(', ')}, ` +
        'mixN (N % get, the rest set), or weights such as get:80,set:15,create:5',
    );
  }
  return usable;
}

/** The mix as `parseMix` reads it. */
export function formatMix(mix: readonly MixPart[]): string {
  const [only] = mix;
  if (mix.length === 1 && only !== undefined) return only.operation;
  return mix.map(({ operation, weight }) => `${operation}:${weight}`).join(',');
}

function mixOfReads(percent: number): (MixPart | undefined)[] {
  if (percent > 100) return [undefined];
  return [
    { operation: 'get', weight: percent },
    { operation: 'set', weight: 100 - percent },
  ];
}

function parseMixPart(text: string): MixPart | undefined {
  const [name, weight, ...rest] = text.trim().split(':');
  const operation = operationNames.find((known) => known === name);
  const isWeight = weight === undefined || /^\d+(\.\d+)?$/.test(weight);
  if (operation === undefined || !isWeight || rest.length > 0) return undefined;
  return { operation, weight: weight === undefined ? 1 : Number(weight) };
}
