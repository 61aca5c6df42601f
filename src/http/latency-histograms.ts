import type { Registry } from "prom-client";
import type { LatencyBuckets, RunBuckets } from "../stats/latency-buckets.js";
import { CountedHistogram, timesOf } from "./counted-histogram.js";

const ENDS = "by the time of noticing, without the warm-up";

const LATENCIES = [
  {
    name: "response",
    help: `Intended start until the end of orchestrations that completed, ${ENDS}.`,
    of: ({ response }: RunBuckets) => response?.noticed,
  },
  {
    name: "service",
    help: `Accepted until the end of orchestrations that completed, ${ENDS}.`,
    of: ({ service }: RunBuckets) => service?.noticed,
  },
] as const;

/** The latencies of runs. Until the client noticed, since that is known at once and so never falls. */
export class LatencyHistograms {
  readonly #histograms;

  constructor(prefix: string, registry: Registry) {
    this.#histograms = LATENCIES.map(({ name, help, of }) => ({
      of,
      histogram: new CountedHistogram({ name: `${prefix}orchestration_${name}_duration_seconds`, help }, registry),
    }));
  }

  /** A latency without a sample is left out. */
  set(latencies: RunBuckets): void {
    for (const { of, histogram } of this.#histograms) histogram.set(seriesOf(of(latencies)));
  }
}

function seriesOf(buckets: LatencyBuckets | undefined) {
  return buckets ? [[{}, timesOf(buckets)] as const] : [];
}
