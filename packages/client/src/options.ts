import { parseConnectString } from './connect-string.ts';
import type { Credential } from './credentials.ts';
import { BadArgumentsError } from './errors.ts';
import type { SessionTicket } from './handshake.ts';
import type { ClientHooks } from './hooks.ts';
import { type ClientLimits, defaultLimits } from './limits.ts';
import type { ListenerErrorHandler } from './listeners.ts';
import type { SaslCredential } from './sasl/digest-md5.ts';
import type { SessionSettings } from './session-settings.ts';

/** Options of a client. All have defaults. */
export interface ClientOptions extends Partial<ClientLimits> {
  /** The session timeout to ask for, ms; the server decides within its bounds. Default 30,000. */
  readonly sessionTimeoutMs?: number;
  /** A session to go on with, as `ZooKeeper.session` of an earlier client gave it. */
  readonly session?: SessionTicket;
  /** True when a server that has lost its ensemble will do, for reads. Default false. */
  readonly canBeReadOnly?: boolean;
  /** Who the client is: sent on every connection before anything else. `addAuth` adds more. */
  readonly auth?: readonly Credential[];
  /** Who the client is to SASL's DIGEST-MD5: settled on every connection before anything else. Default: no SASL. */
  readonly sasl?: SaslCredential;
  /** How long each call may take by default, ms; its own `timeoutMs` goes first. Default: no limit. */
  readonly requestTimeoutMs?: number;
  /** Whether watches are set anew on a new connection. Default true (`disableAutoWatchReset` is its opposite). */
  readonly rearmWatches?: boolean;
  /**
   * Whether reads whose connection was lost are sent again over the next one, rather than fail with `ConnectionLossError`; they
   * fail once every server was tried in vain. Default false.
   */
  readonly retryReads?: boolean;
  /** The pause after every server was tried in vain, ms. Default 1,000. */
  readonly retryDelayMs?: number;
  /** How often the servers of `dns-srv://` are looked up, ms. A new list serves from the next dial on. Default 60,000. */
  readonly srvRefreshMs?: number;
  /** A reconnecting client waits up to this long, ms, at random, so that not all come at once. Default 1,000. */
  readonly reconnectJitterMs?: number;
  /**
   * Hears of errors that listeners and watchers throw. Default: they surface as uncaught exceptions, after the other
   * listeners were called.
   */
  readonly onListenerError?: ListenerErrorHandler;
  /** What is told to whoever measures or traces the client: your own, or `openTelemetryHooks`. Default: nothing. */
  readonly hooks?: ClientHooks;
}

/**
 * The settings of a session from a connect string and options.
 *
 * @throws BadArgumentsError when one of them is not valid
 */
export function settingsOf(connectString: string, options: ClientOptions): SessionSettings {
  const { servers, srvName, chroot } = parseConnectString(connectString);
  const numbers = { ...defaultLimits, ...defaultTimes, ...definedNumbers(options) };
  const { sessionTimeoutMs, retryDelayMs, reconnectJitterMs, srvRefreshMs, ...limits } = numbers;
  for (const credential of options.auth ?? []) validateCredential(credential);
  return {
    servers,
    srvName,
    chroot,
    sessionTimeoutMs,
    session: options.session === undefined ? null : validSession(options.session),
    canBeReadOnly: options.canBeReadOnly ?? false,
    credentials: options.auth ?? [],
    sasl: options.sasl === undefined ? null : validSasl(options.sasl),
    rearmWatches: options.rearmWatches ?? true,
    retryReads: options.retryReads ?? false,
    retryDelayMs,
    reconnectJitterMs,
    srvRefreshMs,
    limits,
    hooks: options.hooks === undefined ? null : validHooks(options.hooks),
    onListenerError: options.onListenerError,
  };
}

/** @throws BadArgumentsError when the scheme is empty or the proof is neither text nor bytes */
export function validateCredential(credential: Credential): void {
  const { scheme, auth } = credential;
  if (typeof scheme !== 'string' || scheme === '')
    throw badOption('authenticate with scheme', scheme, 'it must be a name');
  // The proof itself is a secret: it does not belong into a message.
  if (typeof auth !== 'string' && !(auth instanceof Uint8Array)) {
    throw badOption('authenticate', typeof auth, 'it must be a string or bytes');
  }
}

/** @throws BadArgumentsError when a time is given that is not a positive whole number of ms */
export function validateTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || isWhole(timeoutMs, 1)) return;
  throw badOption(
    'use option timeoutMs',
    timeoutMs,
    `it must be a whole number from 1 to ${intMax}`,
  );
}

const intMax = 0x7fffffff;

const defaultTimes = {
  sessionTimeoutMs: 30_000,
  retryDelayMs: 1000,
  reconnectJitterMs: 1000,
  srvRefreshMs: 60_000,
};

type NumberName = keyof ClientLimits | keyof typeof defaultTimes;

/** The number options that were given, each valid. */
function definedNumbers(options: ClientOptions): Partial<Record<NumberName, number>> {
  const defined: Partial<Record<NumberName, number>> = {};
  for (const name of Object.keys({ ...defaultLimits, ...defaultTimes }) as NumberName[]) {
    const value = options[name];
    if (value === undefined) continue;
    const least = name === 'retryDelayMs' || name === 'reconnectJitterMs' ? 0 : 1;
    if (!isWhole(value, least)) {
      throw badOption(
        `use option ${name}`,
        value,
        `it must be a whole number from ${least} to ${intMax}`,
      );
    }
    defined[name] = value;
  }
  if (options.requestTimeoutMs !== undefined && !isWhole(options.requestTimeoutMs, 1)) {
    throw badOption(
      'use option requestTimeoutMs',
      options.requestTimeoutMs,
      `it must be a whole number from 1 to ${intMax}`,
    );
  }
  return defined;
}

function validHooks(hooks: ClientHooks): ClientHooks {
  const { onCall, onDial, onState, onWatchEvent } = hooks;
  for (const [name, hook] of Object.entries({ onCall, onDial, onState, onWatchEvent })) {
    if (hook !== undefined && typeof hook !== 'function')
      throw badOption(`use option hooks.${name}`, hook, 'it must be a function');
  }
  return hooks;
}

function validSasl(sasl: SaslCredential): SaslCredential {
  const { username, password } = sasl;
  if (typeof username !== 'string' || username === '')
    throw badOption('use option sasl', `the user name ${String(username)}`, 'it must be a name');
  // The password itself does not belong into a message.
  if (typeof password !== 'string')
    throw badOption('use option sasl', `a password of type ${typeof password}`, 'it must be text');
  return { username, password };
}

function validSession(session: SessionTicket): SessionTicket {
  const { id, password } = session;
  if (typeof id !== 'bigint' || BigInt.asIntN(64, id) !== id) {
    throw badOption('use option session', id, 'its id must be a bigint of 64 bits, signed');
  }
  if (!(password instanceof Uint8Array) || password.length > passwordBytesMax) {
    throw badOption(
      'use option session',
      typeof password,
      'its password must be bytes, 16 of them',
    );
  }
  return { id, password: password.slice() };
}

const passwordBytesMax = 1024;

function isWhole(value: unknown, least: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= intMax;
}

function badOption(doing: string, value: unknown, why: string): BadArgumentsError {
  return new BadArgumentsError({
    message: `Cannot ${doing}: current value is ${String(value)}, and ${why}`,
  });
}
