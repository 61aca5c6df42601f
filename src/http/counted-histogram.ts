import { Histogram, type Registry } from "prom-client";
import { BUCKET_BOUNDS_MS, type LatencyBuckets } from "../stats/latency-buckets.js";

/** One series of a histogram. */
export interface CountedTimes {
  readonly boundsSeconds: readonly number[];
  /** One more than bounds: the last one counts what is beyond them. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

type HistogramValues = Awaited<ReturnType<Histogram["get"]>>["values"];

interface HistogramHead {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

/** A histogram whose values were counted elsewhere: prom-client looks labels up at each observation. */
export class CountedHistogram extends Histogram {
  readonly #head: HistogramHead;
  #values: HistogramValues = [];

  constructor(head: HistogramHead, registry: Registry) {
    const { name, help, labelNames = [] } = head;
    super({ name, help, labelNames: [...labelNames], registers: [registry] });
    this.#head = head;
  }

  /** Replaces all series. */
  set(series: readonly (readonly [labels: Readonly<Record<string, string>>, times: CountedTimes])[]): void {
    this.#values = series.flatMap(([labels, times]) => valuesOf(this.#head.name, labels, times));
  }

  /** What the registry prints. */
  async getForPromString() {
    const { name, help } = this.#head;
    return { name, help, type: "histogram", aggregator: "sum", values: this.#values };
  }
}

const BOUNDS_SECONDS = BUCKET_BOUNDS_MS.map((ms) => ms / 1_000);

export function timesOf({ counts, sumMs }: LatencyBuckets): CountedTimes {
  return { boundsSeconds: BOUNDS_SECONDS, counts, sumSeconds: sumMs / 1_000 };
}

function valuesOf(
  name: string,
  labels: Readonly<Record<string, string>>,
  { boundsSeconds, counts, sumSeconds }: CountedTimes,
): HistogramValues {
  let total = 0;
  const buckets = counts.map((count, index) => {
    total += count;
    return { metricName: `${name}_bucket`, labels: { le: boundsSeconds[index] ?? "+Inf", ...labels }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumSeconds },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
