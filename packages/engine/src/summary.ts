/**
 * Numbers that come one after another, kept as what `mntr` tells of them.
 *
 * Owns count, sum, extremes and, for latencies, how often each came. Refuses to keep the numbers:
 * adding one allocates nothing and looks at no clock.
 */

/** Count, sum, smallest and largest; all 0 before the first (`AvgMinMaxCounter.java`). */
export class Summary {
  count = 0;
  sum = 0;
  min = 0;
  max = 0;

  add(value: number): void {
    if (this.count === 0 || value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.sum += value;
    this.count++;
  }

  /** Forgets everything. */
  reset(): void {
    this.count = 0;
    this.sum = 0;
    this.min = 0;
    this.max = 0;
  }
}

/**
 * A summary of times that also tells percentiles, in whole milliseconds. Where Java draws 4096 of the
 * times at random, this counts all of them: exactly up to a second, in steps of 64 ms up to a minute.
 */
export class LatencySummary extends Summary {
  readonly #fine = new Float64Array(fineMs);
  readonly #coarse = new Float64Array(coarseSteps);

  override add(valueMs: number): void {
    super.add(valueMs);
    if (valueMs < fineMs) {
      const at = valueMs | 0;
      this.#fine[at] = (this.#fine[at] as number) + 1;
    } else {
      const step = Math.min(Math.floor(valueMs / coarseMs), coarseSteps - 1);
      this.#coarse[step] = (this.#coarse[step] as number) + 1;
    }
  }

  /** The time that a share `0 < share < 1` of the times stays at or below, whole ms. */
  quantile(share: number): number {
    const rank = Math.ceil(this.count * share);
    let seen = 0;
    for (let ms = 0; ms < fineMs; ms++) {
      seen += this.#fine[ms] as number;
      if (seen >= rank) return ms;
    }
    for (let step = 0; step < coarseSteps; step++) {
      seen += this.#coarse[step] as number;
      if (seen >= rank) return Math.min(step * coarseMs, Math.floor(this.max));
    }
    return Math.floor(this.max);
  }

  override reset(): void {
    super.reset();
    this.#fine.fill(0);
    this.#coarse.fill(0);
  }
}

const fineMs = 1024;
const coarseMs = 64;
const coarseSteps = 1024;
