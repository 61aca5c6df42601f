import type { Interval, IntervalLatency, IntervalTallied } from "../result/run-result.js";
import { SparseHistogram } from "./sparse-histogram.js";

export type LatencyName = "response" | "service";
/** The end of a latency: the completion on the backend's clock, or the time when the client noticed it. */
export type Until = "completed" | "noticed";

/** Facts about the run that a tally does not know. */
export interface SeriesOptions {
  readonly until: Readonly<Record<LatencyName, Until>>;
  /** Closed load has no schedule, and therefore no response time. */
  readonly hasResponse: boolean;
  /** Whether the content of an orchestration is known. */
  readonly hasActivities: boolean;
  readonly hasActions: boolean;
  /** The executions of a completed orchestration after the first. Each one is an action. */
  readonly furtherActions: number;
}

/** The events of one interval of a run. */
export class IntervalTally {
  offered = 0;
  started = 0;
  completed = 0;
  failed = 0;
  activities = 0;
  reconnects = 0;
  /** Completions by the time of noticing, which is known at once; `completed` is some seconds behind. Not in a result. */
  noticed = 0;
  /** Created when first needed: most intervals have no errors, and many have no latencies. */
  #rpcErrors: Map<string, number> | undefined;
  #latencies: Map<`${LatencyName} ${Until}`, SparseHistogram> | undefined;

  addRpcErrors(status: string, count: number): void {
    this.#rpcErrors ??= new Map();
    this.#rpcErrors.set(status, (this.#rpcErrors.get(status) ?? 0) + count);
  }

  latency(name: LatencyName, until: Until): SparseHistogram {
    this.#latencies ??= new Map();
    const found = this.#latencies.get(`${name} ${until}`) ?? new SparseHistogram();
    this.#latencies.set(`${name} ${until}`, found);
    return found;
  }

  /** Adds everything of another interval. */
  absorb(other: IntervalTally): void {
    this.offered += other.offered;
    this.started += other.started;
    this.completed += other.completed;
    this.failed += other.failed;
    this.activities += other.activities;
    this.reconnects += other.reconnects;
    this.noticed += other.noticed;
    for (const [status, count] of other.#rpcErrors ?? []) this.addRpcErrors(status, count);
    for (const [key, histogram] of other.#latencies ?? []) {
      const [name, until] = key.split(" ") as [LatencyName, Until];
      this.latency(name, until).merge(histogram);
    }
  }

  /** Grows with every event that a view of the run in progress shows. */
  get revision(): number {
    const { offered, started, noticed, failed, activities } = this;
    const latencies = (this.latencyNoticed("response")?.count ?? 0) + (this.latencyNoticed("service")?.count ?? 0);
    return offered + started + noticed + failed + activities + latencies;
  }

  /** Until the client noticed; undefined if nothing that was due in it has completed. */
  latencyNoticed(name: LatencyName): SparseHistogram | undefined {
    return this.#latencies?.get(`${name} noticed`);
  }

  tally(): IntervalTallied {
    const { offered, started, completed, failed, activities, reconnects } = this;
    const latencies = [...(this.#latencies ?? [])].map(([key, histogram]) => {
      return [key, { buckets: histogram.buckets(), maxMs: histogram.maxMs }] as const;
    });
    return {
      offered,
      started,
      completed,
      failed,
      activities,
      reconnects,
      rpcErrors: Object.fromEntries(this.#rpcErrors ?? []),
      latencies: Object.fromEntries(latencies),
    };
  }

  /** The inverse of `tally`. */
  static of({ rpcErrors, latencies, ...counts }: IntervalTallied): IntervalTally {
    const interval = new IntervalTally();
    interval.offered = counts.offered;
    interval.started = counts.started;
    interval.completed = counts.completed;
    interval.failed = counts.failed;
    interval.activities = counts.activities;
    interval.reconnects = counts.reconnects;
    for (const [status, count] of Object.entries(rpcErrors)) interval.addRpcErrors(status, count);
    for (const [key, { buckets, maxMs }] of Object.entries(latencies)) {
      const [name, until] = key.split(" ") as [LatencyName, Until];
      interval.latency(name, until).merge(SparseHistogram.fromBuckets(buckets, maxMs));
    }
    return interval;
  }

  summary({
    until,
    hasResponse,
    hasActivities,
    hasActions,
    furtherActions,
  }: SeriesOptions): Omit<Interval, "fromMs" | "lengthMs" | "inFlight"> {
    const { offered, started, completed, failed, activities, reconnects } = this;
    const response = hasResponse ? this.#summaryOf("response", until.response) : undefined;
    const service = this.#summaryOf("service", until.service);
    return {
      offered,
      started,
      completed,
      failed,
      ...(hasActivities && { activities }),
      ...(hasActions && { actions: started + 2 * activities + furtherActions * completed }),
      ...(this.#rpcErrors && { rpcErrors: Object.fromEntries(this.#rpcErrors) }),
      ...(reconnects > 0 && { reconnects }),
      ...(response && { response }),
      ...(service && { service }),
    };
  }

  #summaryOf(name: LatencyName, until: Until): IntervalLatency | undefined {
    const histogram = this.#latencies?.get(`${name} ${until}`);
    if (histogram === undefined || histogram.count === 0) return undefined;
    const censored = this.offered === 0 ? 0 : Math.max(0, 1 - histogram.count / this.offered);
    const [p50, p99] = [histogram.percentile(0.5, censored), histogram.percentile(0.99, censored)];
    return {
      count: histogram.count,
      ...(p50 !== undefined && { p50 }),
      ...(p99 !== undefined && { p99 }),
      max: histogram.maxMs,
      buckets: histogram.buckets(),
    };
  }
}
