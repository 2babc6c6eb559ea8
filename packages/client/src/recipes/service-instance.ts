import { BadArgumentsError, DataInconsistencyError } from '../errors.ts';
import { pathProblem } from '../paths.ts';

/**
 * What a provider of a service says of itself.
 *
 * Layout: the JSON of Curator's `ServiceInstance`, in the order in which Jackson writes it. `weight`, `zone` and `metadata`
 * are the members of its `payload`, which a Java process reads as a `Map`; a payload of another kind is in `payload`.
 */
export interface ServiceInstance {
  readonly name: string;
  /** Unique among the instances of a service. */
  readonly id: string;
  readonly address: string | null;
  readonly port: number | null;
  readonly sslPort: number | null;
  /** Its share among the others; 1 when it says nothing. */
  readonly weight: number;
  readonly zone: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** All that it says beside its address, as it was read: text, a number, an object, null. */
  readonly payload: unknown;
  /** When it was registered, ms since 1970 by its own clock. */
  readonly registrationTimeMs: number;
  readonly type: ServiceType;
  /** How its URI is made, as in `{scheme}://{address}:{port}/api`; see `uriOf`. */
  readonly uriSpec: string | null;
  /** False: known, and not to be used. */
  readonly enabled: boolean;
}

/** How long an instance stays registered: `dynamic` as long as its session, the others until they are unregistered. */
export type ServiceType = 'dynamic' | 'static' | 'permanent' | 'dynamicSequential';

/** What is known of an instance before it is registered. */
export interface ServiceDescription {
  readonly name: string;
  /** Default: one that nobody else has. */
  readonly id?: string;
  readonly address?: string;
  readonly port?: number;
  readonly sslPort?: number;
  /** Its share among the others: 2 gets twice as much as 1, 0 nothing. Default 1. */
  readonly weight?: number;
  readonly zone?: string;
  /** Anything else, as JSON; `weight`, `zone` and `@class` are taken. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Default `dynamic`. */
  readonly type?: 'dynamic' | 'static';
  readonly uriSpec?: string;
}

/**
 * The instance of a description.
 *
 * @throws BadArgumentsError when a name, port, weight or member of the metadata is not valid
 */
export function instanceOf(
  description: ServiceDescription,
  registered: { readonly id: string; readonly registrationTimeMs: number },
): ServiceInstance {
  const {
    name,
    address = null,
    port = null,
    sslPort = null,
    weight = 1,
    zone = null,
  } = description;
  const { metadata = {}, type = 'dynamic', uriSpec = null } = description;
  const id = description.id ?? registered.id;
  for (const [what, value] of Object.entries({ name, id })) {
    if (pathProblem(`/${value}`) === null && value !== '' && !value.includes('/')) continue;
    throw refused(
      `Cannot register a service by the ${what} ${value}: it must be one name of a path`,
    );
  }
  for (const number of [port, sslPort]) {
    if (number === null || (Number.isInteger(number) && number >= 0 && number <= 65535)) continue;
    throw refused(`Cannot register ${name}: current value is port ${number}`);
  }
  if (!Number.isFinite(weight) || weight < 0) {
    throw refused(
      `Cannot register ${name}: current value is weight ${weight}, it must be 0 or more`,
    );
  }
  for (const key of takenKeys) {
    if (!Object.hasOwn(metadata, key)) continue;
    throw refused(`Cannot register ${name}: current value is metadata with the member ${key}`);
  }
  const { registrationTimeMs } = registered;
  const extra = { weight, zone, metadata, payload: payloadOf({ weight, zone, metadata }) };
  const told = { address, port, sslPort, type, uriSpec, enabled: true };
  return { name, id, ...told, ...extra, registrationTimeMs };
}

/** An instance as JSON, member by member as Curator writes it; `enabled` only when false, for old readers refuse it. */
export function encodeInstance(instance: ServiceInstance): string {
  const { name, id, address, port, sslPort, payload, enabled } = instance;
  const serviceType = javaTypes[instance.type];
  const uriSpec = instance.uriSpec === null ? null : { parts: partsOf(instance.uriSpec) };
  const registrationTimeUTC = instance.registrationTimeMs;
  const told = { name, id, address, port, sslPort, payload };
  const rest = { registrationTimeUTC, serviceType, uriSpec };
  return JSON.stringify({ ...told, ...rest, ...(enabled ? {} : { enabled }) });
}

/** Reads what `encodeInstance` or Curator wrote. @throws DataInconsistencyError when it is something else */
export function decodeInstance(bytes: Uint8Array | null, path: string): ServiceInstance {
  const read = parse(bytes, path);
  const payload = 'payload' in read ? read.payload : null;
  const members = isObject(payload) ? payload : {};
  const metadata = Object.fromEntries(
    Object.entries(members).filter(([key]) => !takenKeys.includes(key)),
  );
  const weight = Number(members.weight ?? 1);
  const type = Object.entries(javaTypes).find(([, java]) => java === read.serviceType)?.[0];
  return {
    name: textOf(read.name) ?? '',
    id: textOf(read.id) ?? '',
    address: textOf(read.address),
    port: numberOf(read.port),
    sslPort: numberOf(read.sslPort),
    weight: Number.isFinite(weight) && weight >= 0 ? weight : 1,
    zone: textOf(members.zone),
    metadata,
    payload,
    registrationTimeMs: numberOf(read.registrationTimeUTC) ?? 0,
    type: (type as ServiceType | undefined) ?? 'dynamic',
    uriSpec: isObject(read.uriSpec) ? specOf(read.uriSpec.parts) : null,
    enabled: read.enabled !== false,
  };
}

/**
 * The URI of an instance by its `uriSpec`, or by `{scheme}://{address}:{port}` when it has none. The fields are Curator's:
 * scheme (https when there is an `sslPort`), name, id, address, port, ssl-port, registration-time-utc, service-type;
 * `variables` win over them; a field that nobody knows is left out.
 */
export function uriOf(
  instance: ServiceInstance,
  variables: Readonly<Record<string, string | number>> = {},
): string {
  const { sslPort } = instance;
  const defaultSpec = `{scheme}://{address}:{${sslPort === null ? 'port' : 'ssl-port'}}`;
  const fields: Readonly<Record<string, string | number | null>> = {
    '[': '{',
    ']': '}',
    scheme: sslPort === null ? 'http' : 'https',
    name: instance.name,
    id: instance.id,
    address: instance.address,
    port: instance.port,
    'ssl-port': sslPort,
    'registration-time-utc': instance.registrationTimeMs,
    'service-type': javaTypes[instance.type].toLowerCase(),
    ...variables,
  };
  return partsOf(instance.uriSpec ?? defaultSpec)
    .map(({ value, variable }) => (variable ? (fields[value] ?? '') : value))
    .join('');
}

interface UriPart {
  readonly value: string;
  readonly variable: boolean;
}

const takenKeys: readonly string[] = ['@class', 'weight', 'zone'];

const javaTypes: Readonly<Record<ServiceType, string>> = {
  dynamic: 'DYNAMIC',
  static: 'STATIC',
  permanent: 'PERMANENT',
  dynamicSequential: 'DYNAMIC_SEQUENTIAL',
};

/** Null when there is nothing to say: Java processes whose payload is `Void` can read that, and nothing else. */
function payloadOf(told: Pick<ServiceInstance, 'weight' | 'zone' | 'metadata'>): unknown {
  const { weight, zone, metadata } = told;
  const payload: Record<string, unknown> = {};
  if (weight !== 1) payload.weight = weight;
  if (zone !== null) payload.zone = zone;
  Object.assign(payload, metadata);
  return Object.keys(payload).length === 0 ? null : payload;
}

/** Literal text and the fields in braces. @throws BadArgumentsError when a brace is not closed */
function partsOf(spec: string): UriPart[] {
  if (!/^([^{}]|\{[^{}]*\})*$/.test(spec)) {
    throw refused(`Cannot use a URI specification: current value is ${spec}, and braces must pair`);
  }
  const tokens = spec.match(/\{[^{}]*\}|[^{}]+/g) ?? [];
  return tokens.map((token) => {
    const variable = token.startsWith('{');
    return { value: variable ? token.slice(1, -1).trim() : token, variable };
  });
}

/** The specification whose parts these are. */
function specOf(parts: unknown): string | null {
  if (!Array.isArray(parts)) return null;
  return parts
    .map((part: unknown) => {
      const { value, variable } = isObject(part) ? part : {};
      const text = textOf(value) ?? '';
      return variable === true ? `{${text}}` : text;
    })
    .join('');
}

function parse(bytes: Uint8Array | null, path: string): Record<string, unknown> {
  let read: unknown;
  try {
    read = JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array(0)));
  } catch (cause) {
    throw unreadable(path, `${bytes?.length ?? 0} bytes that are not JSON`, cause);
  }
  if (!isObject(read)) throw unreadable(path, 'JSON that is no object');
  return read;
}

function unreadable(path: string, found: string, cause?: unknown): DataInconsistencyError {
  const message = `Cannot read a service instance from ${path}: current value is ${found}`;
  return new DataInconsistencyError({ path, message, cause });
}

function refused(message: string): BadArgumentsError {
  return new BadArgumentsError({ message });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
