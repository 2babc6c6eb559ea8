/** What every line of a recorded history says. */
interface Stamp {
  /** When, ms since 1970, by the one clock of the machine on which all of it happened. */
  readonly at: number;
}

/** A client's connection, as it passed over the wire; bytes in base64. */
export type ConnectionEntry = Stamp & { readonly connection: number } & (
    | { readonly opened: string; readonly client: string }
    | { readonly sent: string }
    | { readonly received: string }
    | { readonly ended: true }
  );

/** A transaction in a member's log: header, record and digest; `before` null when the log does not say what it follows. */
export type TransactionEntry = Stamp & {
  readonly member: number;
  readonly transaction: number;
  readonly before: number | null;
  readonly bytes: string;
};

/** A member serves everything up to a transaction. */
export type ServesEntry = Stamp & { readonly member: number; readonly serves: number };

/** A member leads or follows from now on, as it says itself. */
export type RoleEntry = Stamp & {
  readonly member: number;
  readonly role: 'leading' | 'following';
  readonly epoch: number;
};

/** Nothing is broken from now on, or something may be. */
export type CalmEntry = Stamp & { readonly calm: boolean };

/** Every client has been answered and told everything; nothing comes any more. */
export type SilentEntry = Stamp & { readonly silent: true };

/** A line of a recorded history. Lines with none of these keys are for people. */
export type RecordedEntry =
  | ConnectionEntry
  | TransactionEntry
  | ServesEntry
  | RoleEntry
  | CalmEntry
  | SilentEntry;
