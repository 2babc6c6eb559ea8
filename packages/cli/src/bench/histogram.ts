/** Buckets of a doubling of the value: every value is kept to better than one part in 1024. */
const bucketsPerDoubling = 1024;
const bucketCount = 22 * bucketsPerDoubling + bucketsPerDoubling;

/** The largest value that is told apart from larger ones: 2^32 - 1 µs, more than an hour. */
export const latencyUsMax = 4294967295;

/**
 * Counts latencies in microseconds, exactly up to 2047 µs and to 0.1 % beyond, in one typed array:
 * recording allocates nothing.
 */
export class Histogram {
  /** Values recorded. */
  count = 0;
  /** The largest value recorded, exactly; 0 when there is none. */
  maxUs = 0;
  /** The smallest value recorded, exactly; 0 when there is none. */
  minUs = 0;
  #sumUs = 0;
  readonly #buckets = new Float64Array(bucketCount);

  /** Adds one value; fractions are cut off, values out of range are moved to its ends. */
  record(latencyUs: number): void {
    const value = latencyUs < 0 ? 0 : Math.min(latencyUs, latencyUsMax);
    const whole = value >>> 0;
    const shift = whole < 2 * bucketsPerDoubling ? 0 : 21 - Math.clz32(whole);
    const bucket = shift * bucketsPerDoubling + (whole >>> shift);
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
    if (this.count === 0 || whole < this.minUs) this.minUs = whole;
    if (whole > this.maxUs) this.maxUs = whole;
    this.count++;
    this.#sumUs += value;
  }

  /** The mean of what was recorded; 0 when that is nothing. */
  get meanUs(): number {
    return this.count === 0 ? 0 : this.#sumUs / this.count;
  }

  /**
   * The smallest value that at least `percent` of the recorded ones do not exceed; 0 when there is none.
   *
   * @param percent 0 to 100
   */
  percentileUs(percent: number): number {
    const wanted = Math.max(1, Math.ceil((this.count * percent) / 100));
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#buckets[bucket] as number;
      if (seen >= wanted) return Math.min(this.maxUs, highestOf(bucket));
    }
    return this.maxUs;
  }

  /** Adds everything that another histogram recorded. */
  add(other: Histogram): void {
    if (other.count === 0) return;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      this.#buckets[bucket] =
        (this.#buckets[bucket] as number) + (other.#buckets[bucket] as number);
    }
    this.minUs = this.count === 0 ? other.minUs : Math.min(this.minUs, other.minUs);
    this.maxUs = Math.max(this.maxUs, other.maxUs);
    this.count += other.count;
    this.#sumUs += other.#sumUs;
  }

  /** Forgets everything. */
  clear(): void {
    this.#buckets.fill(0);
    this.count = 0;
    this.maxUs = 0;
    this.minUs = 0;
    this.#sumUs = 0;
  }
}

/** The largest value that falls into a bucket. */
function highestOf(bucket: number): number {
  if (bucket < 2 * bucketsPerDoubling) return bucket;
  const shift = Math.floor(bucket / bucketsPerDoubling) - 1;
  const top = bucket - shift * bucketsPerDoubling;
  return (top + 1) * 2 ** shift - 1;
}
