/**
 * The order in which Java's maps hand out their entries. A Java member prints its configuration in it, and
 * the config node and its digest must come out the same on every member. Owns that order; knows nothing of
 * what the entries mean.
 */

/** The order in which a `java.util.HashMap<Long, …>` that got these keys one by one goes through them. */
export function hashMapOrder(ids: Iterable<number>): readonly number[] {
  const distinct = [...new Set(ids)];
  let buckets = bucketsMin;
  while (distinct.length > buckets * loadFactor) buckets *= 2;
  const bucketOf = (id: number): number => spread(hashOfLong(id)) & (buckets - 1);
  // Entries of one bucket stay in the order in which they came; sort() is stable.
  return distinct.sort((a, b) => bucketOf(a) - bucketOf(b));
}

/** The order in which `java.util.Properties`, filled in the order of `keys`, goes through them. */
export function propertiesOrder(keys: Iterable<string>): readonly string[] {
  let bins: HashedKey[][] = Array.from({ length: bucketsMin }, () => []);
  let count = 0;
  for (const key of new Set(keys)) {
    const hash = spread(hashOfString(key));
    bins[hash & (bins.length - 1)]?.push({ key, hash });
    count += 1;
    if (count >= bins.length * loadFactor) bins = doubled(bins);
  }
  return bins.flat().map(({ key }) => key);
}

interface HashedKey {
  readonly key: string;
  readonly hash: number;
}

/** What a `Properties` begins with in Java 9 and later, and a `HashMap` since ever. */
const bucketsMin = 16;
const loadFactor = 0.75;

function hashOfLong(id: number): number {
  return (id | 0) ^ Math.floor(id / 4294967296);
}

function hashOfString(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

function spread(hash: number): number {
  return hash ^ (hash >>> 16);
}

/** `ConcurrentHashMap.transfer`: the last run of a bin is moved as it is, what stands before it comes reversed. */
function doubled(bins: readonly (readonly HashedKey[])[]): HashedKey[][] {
  const low: HashedKey[][] = [];
  const high: HashedKey[][] = [];
  for (const bin of bins) {
    const isHigh = ({ hash }: HashedKey): boolean => (hash & bins.length) !== 0;
    let runStart = bin.length;
    const last = bin.at(-1);
    while (runStart > 0 && last !== undefined) {
      const entry = bin[runStart - 1];
      if (entry === undefined || isHigh(entry) !== isHigh(last)) break;
      runStart -= 1;
    }
    const ordered = [...bin.slice(0, runStart).reverse(), ...bin.slice(runStart)];
    low.push(ordered.filter((entry) => !isHigh(entry)));
    high.push(ordered.filter(isHigh));
  }
  return [...low, ...high];
}
