/** What a way from one member to another does with what is sent on it. */
export type WayState =
  /** Passes it on. */
  | 'open'
  /** Loses it: nobody is told. */
  | 'stalled'
  /** Ends every connection, and loses the rest. */
  | 'cut';

/** The number that stands for all clients where members have their ids. */
export const clients = 0;

/** The number of a place that no member has: for a server that is none of them. */
export const strangers = 99;

/** Where a member stands in the network, and how its process gets there. */
export interface MemberAddress {
  readonly host: string;
  readonly launcher?: readonly [string, ...string[]];
  readonly clientPort: number;
  /** The `server.N` lines, as this member knows the others. */
  readonly servers: readonly string[];
}

/** The network between the members of an ensemble of processes, and what can be done to it. */
export interface MembersNetwork {
  /** One line about what it is made of. */
  readonly description: string;
  /** Whether the ways to and from the clients can be shut too. */
  readonly hasClientWays: boolean;
  /** How links are made slow; null where the machine has nothing for it. */
  readonly slowness: string | null;
  /** @param id of a member; `strangers` where there are ways to the clients */
  addressOf(id: number): MemberAddress;
  /** Shuts, or opens, ways, each from one member to another. */
  setWays(ways: readonly (readonly [from: number, to: number])[], state: WayState): void;
  /** Makes everything slow that a member sends. */
  slow(id: number): void;
  /** Opens every way, and lets it be quick. */
  heal(): void;
  /** Takes it away; the members have ended. */
  close(): void;
}
