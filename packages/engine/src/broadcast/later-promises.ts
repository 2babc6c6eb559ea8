/**
 * Which voters are believed to have promised a later epoch than the one that runs. Such a voter took part in an epoch that
 * came to nothing and cannot join this one: Java leaves it out for as long as the leader lasts, so that the ensemble may not
 * survive the next failure. A new epoch brings it back. But anybody can say a hello that claims as much in its name.
 *
 * A voter that is really shut out goes round in a circle: it is turned away here, looks for a leader over the links of the
 * election, hears that this one leads, and comes again. So a claim is believed when it was made three times, and the
 * election has heard the voter look for a leader between each two. One that says it without looking, or looks and
 * then joins as it is, changes nothing.
 *
 * Owns the claims that are not believed yet; one for each voter at most.
 */
export class LaterPromises {
  readonly #patienceMs: number;
  readonly #claims = new Map<number, Claim>();

  /** @param patienceMs claims that lie farther apart begin anew */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** A hello in the name of voter `sid` claims a later promise. Returns whether that is believed now. */
  claim(sid: number, nowMs: number): boolean {
    const claim = this.#claims.get(sid);
    if (claim === undefined || nowMs - claim.lastMs > this.#patienceMs) {
      this.#claims.set(sid, { rounds: 1, hasLooked: false, lastMs: nowMs });
      return false;
    }
    claim.lastMs = nowMs;
    if (!claim.hasLooked) return false;
    claim.hasLooked = false;
    claim.rounds++;
    return claim.rounds >= roundsMin;
  }

  /** The election has heard that a voter looks for a leader. */
  onVoterLooking(sid: number): void {
    const claim = this.#claims.get(sid);
    if (claim !== undefined) claim.hasLooked = true;
  }

  /** A voter has joined: whatever was claimed in its name was not so. */
  onJoined(sid: number): void {
    this.#claims.delete(sid);
  }
}

interface Claim {
  /** How often it was made, looks for a leader lying between. */
  rounds: number;
  /** Whether the voter was heard looking since the last time. */
  hasLooked: boolean;
  lastMs: number;
}

/** As often a claim is made until it is believed. */
const roundsMin = 3;
