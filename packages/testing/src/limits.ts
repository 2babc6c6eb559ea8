/** Every bound of the test kit: its unit, its value, and what happens at it. */
export interface TestLimits {
  /** Members of one ensemble; more are refused. */
  readonly membersMax: number;
  /** Bytes from a TCP client that its member has not read; beyond, the socket is not read. */
  readonly unreadBytesMax: number;
  /** How long until a socket that is not read is looked at again, ms. */
  readonly unreadLookMs: number;
  /** A stretch in which this process stood still counts as no time at all beyond this, ms. */
  readonly stallMsMax: number;
  /** Events that may follow from each other without time going on, in `advanceTime`. */
  readonly stepsAtOneTimeMax: number;
  /** The longest that `advanceTime` goes in one call, ms. */
  readonly advanceMsMax: number;
  /** How long the kit waits for something it has caused, real ms; then the verb fails. */
  readonly verbMs: number;
}

/** The bounds in use. */
export const testLimits: TestLimits = {
  membersMax: 9,
  unreadBytesMax: 1024 * 1024,
  unreadLookMs: 10,
  stallMsMax: 50,
  stepsAtOneTimeMax: 20,
  advanceMsMax: 10 * 365 * 24 * 3_600_000,
  verbMs: 20_000,
};
