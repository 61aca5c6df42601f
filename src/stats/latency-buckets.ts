/** The upper bounds of the buckets, inclusive, in milliseconds: three in each decade. The last bucket has no bound. */
export const BUCKET_BOUNDS_MS: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
];

/** A histogram of durations with few buckets, as monitoring systems take them. Plain data, and a sum of two is one. */
export interface LatencyBuckets {
  /** Of each bucket, one more than there are bounds. They add up to `count`. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
}

/** A duration that ends with a completion: until the client noticed it, and until the backend had it. */
export interface CrossingBuckets {
  readonly noticed?: LatencyBuckets | undefined;
  /** It lags, because the backend's clock has to be known first. */
  readonly completed?: LatencyBuckets | undefined;
}

/** The latencies of the measured part of a run so far. Those without a sample are absent. */
export interface RunBuckets {
  readonly response?: CrossingBuckets | undefined;
  readonly service?: CrossingBuckets | undefined;
  readonly server?: LatencyBuckets | undefined;
  readonly startRpc?: LatencyBuckets | undefined;
  readonly slip?: LatencyBuckets | undefined;
}

/** Those of several generators together. */
export function summedBuckets(parts: readonly RunBuckets[]): RunBuckets {
  return {
    response: summedCrossing(parts.flatMap(({ response }) => response ?? [])),
    service: summedCrossing(parts.flatMap(({ service }) => service ?? [])),
    server: summed(parts.flatMap(({ server }) => server ?? [])),
    startRpc: summed(parts.flatMap(({ startRpc }) => startRpc ?? [])),
    slip: summed(parts.flatMap(({ slip }) => slip ?? [])),
  };
}

function summedCrossing(parts: readonly CrossingBuckets[]): CrossingBuckets {
  return {
    noticed: summed(parts.flatMap(({ noticed }) => noticed ?? [])),
    completed: summed(parts.flatMap(({ completed }) => completed ?? [])),
  };
}

function summed([first, ...rest]: readonly LatencyBuckets[]): LatencyBuckets | undefined {
  return (
    first &&
    rest.reduce(
      (sum, { counts, count, sumMs, maxMs }) => ({
        counts: sum.counts.map((each, bucket) => each + (counts[bucket] ?? 0)),
        count: sum.count + count,
        sumMs: sum.sumMs + sumMs,
        maxMs: Math.max(sum.maxMs, maxMs),
      }),
      first,
    )
  );
}
