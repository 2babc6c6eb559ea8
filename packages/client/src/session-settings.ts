import type { Credential } from './credentials.ts';
import type { SessionTicket } from './handshake.ts';
import type { ClientHooks } from './hooks.ts';
import type { ClientLimits } from './limits.ts';
import type { ListenerErrorHandler } from './listeners.ts';
import type { HostPort } from './ports.ts';
import type { SaslCredential } from './sasl/digest-md5.ts';

/** What a session takes; `connect` fills in the defaults. */
export interface SessionSettings {
  /** Empty when `srvName` stands for them. */
  readonly servers: readonly HostPort[];
  readonly srvName: string | null;
  readonly chroot: string;
  readonly sessionTimeoutMs: number;
  readonly session: SessionTicket | null;
  readonly canBeReadOnly: boolean;
  readonly credentials: readonly Credential[];
  readonly sasl: SaslCredential | null;
  readonly rearmWatches: boolean;
  readonly retryReads: boolean;
  readonly retryDelayMs: number;
  readonly reconnectJitterMs: number;
  readonly srvRefreshMs: number;
  readonly limits: ClientLimits;
  readonly hooks: ClientHooks | null;
  readonly onListenerError: ListenerErrorHandler | undefined;
}
