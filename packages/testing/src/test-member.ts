/** One member of a `TestEnsemble`, as it is now. What is done to it are methods of the ensemble. */
export interface TestMember {
  /** Its place in `TestEnsemble.members`, from 0. */
  readonly index: number;
  /** Where clients reach it, `host:port`; the same over restarts. */
  readonly address: string;
  readonly state: TestMemberState;
  /** What it does in the ensemble; null while it is not running, or does not know yet. */
  readonly role: TestMemberRole | null;
  /** The directory of its data (`dataDir`); null when that is in memory. */
  readonly dataDirectory: string | null;
}

/**
 * `running`: it serves. `paused`: it stands still, as under SIGSTOP. `killed`: there is no process. `failed`: its disk failed and it
 * has ended by itself; `restart` starts it again.
 */
export type TestMemberState = 'running' | 'paused' | 'killed' | 'failed';

/** As the word `srvr` says it. */
export type TestMemberRole = 'standalone' | 'leader' | 'follower' | 'observer';
