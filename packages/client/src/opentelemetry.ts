/**
 * Traces and metrics by OpenTelemetry: `@meerkat/client/opentelemetry`. It imports nothing: it is given a tracer, a
 * meter, or both, of `@opentelemetry/api`.
 */
import type { ClientHooks } from './hooks.ts';

/** What is asked of a span; those of `@opentelemetry/api` are such. */
export interface TelemetrySpan {
  setAttribute(key: string, value: string | boolean): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  recordException(exception: Error): void;
  end(): void;
}

/** What is asked of a tracer: `trace.getTracer('…')` of `@opentelemetry/api` is one. */
export interface TelemetryTracer {
  startSpan(
    name: string,
    options?: { kind?: number; attributes?: Record<string, string> },
  ): TelemetrySpan;
}

/** What is asked of a meter: `metrics.getMeter('…')` of `@opentelemetry/api` is one. */
export interface TelemetryMeter {
  createHistogram(
    name: string,
    options?: { unit?: string; description?: string },
  ): { record(value: number, attributes?: Record<string, string>): void };
  createCounter(
    name: string,
    options?: { description?: string },
  ): { add(value: number, attributes?: Record<string, string>): void };
}

/** Options of `openTelemetryHooks`. */
export interface OpenTelemetryOptions {
  /** Gets a span of kind CLIENT per call, a child of the span that is active where the call is made. */
  readonly tracer?: TelemetryTracer;
  /** Gets `db.client.operation.duration` (s), `zookeeper.client.dials` and `zookeeper.client.watch_events`. */
  readonly meter?: TelemetryMeter;
  /** False: spans do not say which path. Default true. Metrics never do. */
  readonly recordPaths?: boolean;
}

/**
 * Hooks that trace calls and measure them, in the words of OpenTelemetry's conventions for databases.
 *
 * ```ts
 * import { metrics, trace } from '@opentelemetry/api';
 * import { openTelemetryHooks } from '@meerkat/client/opentelemetry';
 *
 * const hooks = openTelemetryHooks({ tracer: trace.getTracer('app'), meter: metrics.getMeter('app') });
 * await using zk = await connect('127.0.0.1:2181', { hooks });
 * ```
 */
export function openTelemetryHooks(options: OpenTelemetryOptions): ClientHooks {
  const { tracer, meter, recordPaths = true } = options;
  const duration = meter?.createHistogram('db.client.operation.duration', {
    unit: 's',
    description: 'Duration of ZooKeeper calls',
  });
  const dials = meter?.createCounter('zookeeper.client.dials', {
    description: 'Attempts to reach a server',
  });
  const watchEvents = meter?.createCounter('zookeeper.client.watch_events', {
    description: 'Watch events that arrived',
  });
  return {
    onCall({ operation, path }) {
      const attributes = { 'db.system.name': 'zookeeper', 'db.operation.name': operation };
      const named =
        recordPaths && path !== '' ? { ...attributes, 'zookeeper.path': path } : attributes;
      const span = tracer?.startSpan(operation, { kind: spanKindClient, attributes: named });
      return ({ durationMs, error, wasSent }) => {
        const failure = error === null ? {} : { 'error.type': nameOf(error) };
        duration?.record(durationMs / 1000, { ...attributes, ...failure });
        if (span === undefined) return;
        if (error !== null) endBadly(span, error, wasSent);
        span.end();
      };
    },
    onDial({ server, error }) {
      const failure = error === null ? {} : { 'error.type': nameOf(error) };
      dials?.add(1, { 'db.system.name': 'zookeeper', 'server.address': server, ...failure });
    },
    onWatchEvent({ type }) {
      watchEvents?.add(1, { 'db.system.name': 'zookeeper', 'zookeeper.event.type': type });
    },
  };
}

/** `SpanKind.CLIENT`. */
const spanKindClient = 2;

/** `SpanStatusCode.ERROR`. */
const statusError = 2;

function endBadly(span: TelemetrySpan, error: unknown, wasSent: boolean): void {
  const message = error instanceof Error ? error.message : String(error);
  span.setAttribute('error.type', nameOf(error));
  span.setAttribute('zookeeper.request.sent', wasSent);
  span.setStatus({ code: statusError, message });
  if (error instanceof Error) span.recordException(error);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
