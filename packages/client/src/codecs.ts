import type { Data } from './operations/values.ts';
import { formatIssues, type StandardIssue, type StandardSchema } from './standard-schema.ts';

/**
 * How a value becomes the bytes of a znode and comes back: `json()`, `utf8()`, `bytes()`, or your own. `Input` is what may be
 * written, `Value` what is read; they differ where a validator fills in defaults or transforms.
 */
export interface Codec<Value, Input = Value> {
  /** The bytes, or text that is stored as UTF-8. What it throws becomes a `CodecError` with the path. */
  encode(value: Input): Data | Promise<Data>;
  /** The value; `data` is null when null was stored. What it throws becomes a `CodecError` with the path. */
  decode(data: Uint8Array | null): Value | Promise<Value>;
}

/** Bytes as they are: what a client has without a codec. */
export function bytes(): Codec<Uint8Array | null, Data> {
  return { encode: (value) => value, decode: (data) => data };
}

/** Text as UTF-8; bytes that are not UTF-8 are an error, null too. With a validator: text that it accepts. */
export function utf8(): Codec<string>;
export function utf8<Input, Output>(schema: StandardSchema<Input, Output>): Codec<Output, Input>;
export function utf8(schema?: StandardSchema): Codec<unknown> {
  const codec: Codec<unknown> = { encode: encodeText, decode: decodeText };
  return schema === undefined ? codec : checked(codec, schema);
}

/**
 * JSON. With a validator of the Standard Schema kind (zod, valibot, ArkType, …) what is written and what is read is held
 * against it; without, what is read is believed to be a `Value`.
 *
 * ```ts
 * const settings = zk.typed(json(z.object({ port: z.number(), host: z.string().default('localhost') })));
 * await settings.create('/app/settings', { port: 80 });
 * const { value } = await settings.getData('/app/settings'); // { port: 80, host: 'localhost' }
 * ```
 */
export function json<Value = unknown>(): Codec<Value>;
export function json<Input, Output>(schema: StandardSchema<Input, Output>): Codec<Output, Input>;
export function json(schema?: StandardSchema): Codec<unknown> {
  const codec: Codec<unknown> = { encode: encodeJson, decode: decodeJson };
  return schema === undefined ? codec : checked(codec, schema);
}

/**
 * A codec whose values a validator must accept: before they are written, as they were given, and after they were read, as the
 * validator makes them.
 */
export function checked<Input, Output>(
  codec: Codec<unknown>,
  schema: StandardSchema<Input, Output>,
): Codec<Output, Input> {
  return {
    async encode(value) {
      await validate(schema, value);
      return codec.encode(value);
    },
    async decode(data) {
      return validate(schema, await codec.decode(data));
    },
  };
}

/** A validator refused a value. The cause of a `CodecError`. */
export class ValidationError extends Error {
  override readonly name: string = 'ValidationError';
  readonly issues: readonly StandardIssue[];

  constructor(issues: readonly StandardIssue[]) {
    super(formatIssues(issues));
    this.issues = issues;
  }
}

/** What `CodecError` takes. */
export interface CodecErrorDetails {
  readonly doing: 'encode' | 'decode';
  readonly path: string;
  /** What was to be decoded; undefined when something was to be encoded. */
  readonly data?: Uint8Array | null;
  /** What the codec threw. */
  readonly cause: unknown;
}

/** A value could not become bytes, or bytes a value. When encoding failed nothing was sent. */
export class CodecError extends Error {
  override readonly name: string = 'CodecError';
  readonly doing: 'encode' | 'decode';
  /** The znode. */
  readonly path: string;
  /** The bytes that did not decode, for whoever wants to repair them; undefined when encoding failed. */
  readonly data: Uint8Array | null | undefined;
  /** What a validator found; empty when the codec failed otherwise. */
  readonly issues: readonly StandardIssue[];

  constructor(details: CodecErrorDetails) {
    const { doing, path, data, cause } = details;
    const why = cause instanceof Error ? cause.message : String(cause);
    // The value itself may be a secret.
    const what = doing === 'encode' ? 'a value of the caller' : sizeOf(data);
    super(`Cannot ${doing} the data of ${path}: current value is ${what}, and ${why}`, { cause });
    this.doing = doing;
    this.path = path;
    this.data = data;
    this.issues = cause instanceof ValidationError ? cause.issues : [];
  }
}

async function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
): Promise<Output> {
  const result = await schema['~standard'].validate(value);
  if (result.issues !== undefined) throw new ValidationError(result.issues);
  return result.value;
}

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeText(data: Uint8Array | null): string {
  if (data === null) throw new Error('it is null, which is no text');
  try {
    return strictDecoder.decode(data);
  } catch (error) {
    throw new Error('it is not UTF-8', { cause: error });
  }
}

function encodeText(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`it is ${typeof value}, and must be text`);
  if (/\p{Surrogate}/u.test(value))
    throw new Error('it holds half a character, which UTF-8 cannot');
  return value;
}

function encodeJson(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new Error(`JSON has nothing for ${typeof value}`);
  return text;
}

function decodeJson(data: Uint8Array | null): unknown {
  const text = decodeText(data);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The rest of what the parser says may quote the text, which may be a secret.
    const where = / at position \d+/u.exec(error instanceof Error ? error.message : '')?.[0] ?? '';
    throw new Error(`it is not JSON${where}`);
  }
}

function sizeOf(data: Uint8Array | null | undefined): string {
  return data === null || data === undefined ? 'null' : `${data.length} bytes`;
}
