/** The number of buckets in each doubling, so that a bucket is at most 1/32 = 3.125 % wide. */
const PARTS = 32;
/** 32 = 2 ** 5 */
const PART_BITS = 5;
/** The room for buckets in an empty histogram. */
const FIRST_ROOM = 4;

/**
 * The bucket that counts a duration. Of u whole microseconds (the duration, rounded), with e the number of times that u
 * must be halved, rounding down, until it is below 64:
 *
 *     bucket = 32 e + floor(u / 2^e)
 *
 * So below 64 µs a bucket is one microsecond, and from there each doubling has 32 of equal width: the log-linear scheme
 * of HdrHistogram (https://hdrhistogram.org), with fewer digits.
 */
export function bucketOf(ms: number): number {
  const microseconds = Math.min(Math.round(ms * 1_000), Number.MAX_SAFE_INTEGER);
  const halvings = Math.max(0, highestBit(microseconds) - PART_BITS);
  return PARTS * halvings + Math.floor(microseconds / 2 ** halvings);
}

/**
 * The durations that a bucket counts, as milliseconds, both ends included: whole microseconds u with
 *
 *     2^e m <= u <= 2^e (m + 1) - 1,   e = max(0, floor(bucket / 32) - 1),   m = bucket - 32 e
 */
export function bucketRangeMs(bucket: number): { readonly fromMs: number; readonly toMs: number } {
  const halvings = Math.max(0, Math.floor(bucket / PARTS) - 1);
  const part = bucket - PARTS * halvings;
  const width = 2 ** halvings;
  return { fromMs: (part * width) / 1_000, toMs: ((part + 1) * width - 1) / 1_000 };
}

/**
 * The durations of one interval of a run, in milliseconds, in a few hundred bytes, because a result may hold thousands
 * of intervals. Count and maximum are exact. A quantile is at most 3.2 % (or a microsecond) too long.
 */
export class SparseHistogram {
  /**
   * `bucket, count, bucket, count, ...` with ascending buckets and no count of 0. From `#used` on the space is free.
   */
  #pairs = new Uint32Array(0);
  #used = 0;
  #count = 0;
  #maxMs = 0;

  /** The inverse of `buckets`. Without the maximum, the upper end of the last bucket is used. */
  static fromBuckets(pairs: readonly number[], maxMs?: number): SparseHistogram {
    const histogram = new SparseHistogram();
    histogram.#pairs = Uint32Array.from(pairs);
    histogram.#used = pairs.length;
    histogram.#count = pairs.reduce((sum, value, index) => (index % 2 === 1 ? sum + value : sum), 0);
    histogram.#maxMs = maxMs ?? (pairs.length === 0 ? 0 : bucketRangeMs(pairs[pairs.length - 2] ?? 0).toMs);
    return histogram;
  }

  /** A negative duration means that the clock was set back during the measurement. It is left out. */
  add(ms: number): void {
    if (!(ms >= 0)) return;
    const bucket = bucketOf(ms);
    const at = this.#find(bucket);
    if (at === this.#used || this.#pairs[at] !== bucket) this.#insert(at, bucket);
    this.#pairs[at + 1]! += 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** Adds everything of the other histogram, which does not change. */
  merge(other: SparseHistogram): void {
    const [mine, theirs, room] = [this.#pairs, other.#pairs, this.#used + other.#used];
    const merged = new Uint32Array(room);
    let [used, i, j] = [0, 0, 0];
    while (i < this.#used || j < other.#used) {
      const left = i < this.#used ? mine[i]! : Number.POSITIVE_INFINITY;
      const right = j < other.#used ? theirs[j]! : Number.POSITIVE_INFINITY;
      merged[used] = Math.min(left, right);
      if (left <= right) merged[used + 1]! += mine[i + 1]!;
      if (right <= left) merged[used + 1]! += theirs[j + 1]!;
      if (left <= right) i += 2;
      if (right <= left) j += 2;
      used += 2;
    }
    this.#pairs = used === room ? merged : merged.slice(0, used);
    this.#used = used;
    this.#count += other.#count;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  get count(): number {
    return this.#count;
  }

  /** 0 without a sample. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /**
   * The upper end of the bucket with the sample of rank ceil(q n), or the maximum if that is less; 0 without a sample.
   */
  quantile(q: number): number {
    const rank = Math.max(1, Math.ceil(q * this.#count - 1e-9));
    let below = 0;
    for (let at = 0; at < this.#used; at += 2) {
      below += this.#pairs[at + 1]!;
      if (below >= rank) return Math.min(bucketRangeMs(this.#pairs[at]!).toMs, this.#maxMs);
    }
    return this.#maxMs;
  }

  /**
   * As `quantile`, but undefined unless n(1 - q) >= 10, so that at least ten samples lie beyond it, and q < 1 -
   * `censored`, the share of instances whose duration is unknown and may be the longest.
   */
  percentile(q: number, censored = 0): number | undefined {
    // 1 - 0.9 is a little less than 0.1 in binary.
    const carried = this.#count * (1 - q) >= 10 - 1e-9 && q < 1 - censored;
    return carried ? this.quantile(q) : undefined;
  }

  /** `[bucket, count, bucket, count, ...]` with ascending buckets and no count of 0: see `bucketRangeMs`. */
  buckets(): number[] {
    return Array.from(this.#pairs.subarray(0, this.#used));
  }

  /** The index of the bucket, or of its place. */
  #find(bucket: number): number {
    let [from, to] = [0, this.#used / 2];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#pairs[2 * middle]! < bucket) from = middle + 1;
      else to = middle;
    }
    return 2 * from;
  }

  #insert(at: number, bucket: number): void {
    if (this.#used === this.#pairs.length) {
      // By half instead of by two: thousands of histograms live at the same time, and few of them grow large.
      const roomier = new Uint32Array(2 * Math.max(FIRST_ROOM, Math.ceil(this.#used * 0.75)));
      roomier.set(this.#pairs);
      this.#pairs = roomier;
    }
    this.#pairs.copyWithin(at + 2, at, this.#used);
    this.#pairs[at] = bucket;
    this.#pairs[at + 1] = 0;
    this.#used += 2;
  }
}

/** floor(log2 u), exact; -1 for 0. */
function highestBit(u: number): number {
  return u < 2 ** 32 ? 31 - Math.clz32(u) : 63 - Math.clz32(u / 2 ** 32);
}
