/** One request as data, so that a run can be repeated, shortened and printed. */
export interface DifferentialRequest {
  readonly type: number;
  readonly xid: number;
  /** Header and record. */
  readonly payload: Uint8Array;
  /** For people: what is asked. */
  readonly text: string;
  /** Paths it concerns, for shrinking a failure. */
  readonly paths: readonly string[];
}

/**
 * What happens next to one of the sessions. Steps follow each other in lockstep: the next begins when the servers have
 * answered this one.
 */
export type Step = RequestsStep | ConnectionStep | BytesStep;

/** Requests sent in one write, their replies awaited. */
export interface RequestsStep {
  readonly kind: 'requests';
  readonly session: number;
  readonly requests: readonly DifferentialRequest[];
  /** The last one ends the connection, which is then opened again: with its session, or with a new one. */
  readonly closes?: 'connection' | 'session';
}

/** Something that concerns the connection as such. */
export interface ConnectionStep {
  readonly kind:
    | 'reconnect'
    /** The wrong password is presented first. */
    | 'reconnect-wrong-password'
    /** A session id that never was is presented, then the session resumed. */
    | 'reconnect-unknown-session'
    /** A zxid from the future is presented, then the session resumed. */
    | 'reconnect-future-zxid'
    /** The old form of the handshake, without readOnly. */
    | 'reconnect-old-form';
  readonly session: number;
}

/** Bytes that end the connection without an answer, after which it is opened again. */
export interface BytesStep {
  readonly kind: 'bytes';
  readonly session: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** A step as one line for people. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'requests': {
      const closes = step.closes === undefined ? '' : ` (closes the ${step.closes})`;
      return `session ${step.session}: ${step.requests.map((request) => request.text).join('; ')}${closes}`;
    }
    case 'bytes':
      return `session ${step.session}: ${step.text}`;
    default:
      return `session ${step.session}: ${step.kind}`;
  }
}
