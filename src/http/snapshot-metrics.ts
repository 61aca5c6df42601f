import { Counter, Gauge, Registry, Summary } from "prom-client";
import type { RunBuckets } from "../stats/latency-buckets.js";
import type { LiveSnapshot, OwnSnapshot } from "../stats/live-snapshot.js";
import type { LatencySummary } from "../result/run-result.js";
import { FANOUT_VERSION } from "../version.js";
import { LatencyHistograms } from "./latency-histograms.js";

export interface RunLabels {
  readonly runId: string;
}

type Sample = readonly [value: number, labels: Readonly<Record<string, string>>];

/** A figure of a run. Names and units follow https://prometheus.io/docs/practices/naming/. */
interface Figure {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  readonly samples: (snapshot: LiveSnapshot) => readonly Sample[];
}

const COUNTERS: readonly Figure[] = [
  {
    name: "fanout_orchestrations_started_total",
    help: "Orchestrations whose start was sent.",
    samples: ({ orchestrations }) => single(orchestrations.started),
  },
  {
    name: "fanout_orchestrations_ended_total",
    help: "Orchestrations whose end has been noticed.",
    labelNames: ["outcome"],
    samples: ({ own }) => labelled("outcome", own && outcomesOf(own)),
  },
  {
    name: "fanout_activities_completed_total",
    help: "Completed activities, as far as the run knows them.",
    samples: ({ activities }) => single(activities.completed),
  },
  {
    name: "fanout_rpc_errors_total",
    help: "Failed attempts of calls to the backend, also those that a retry repaired.",
    labelNames: ["status"],
    samples: ({ own }) => labelled("status", own?.rpcErrors),
  },
  {
    name: "fanout_held_back_total",
    help: "Starts that --max-in-flight held back.",
    samples: ({ own }) => single(own?.heldBack),
  },
  {
    name: "process_cpu_seconds_total",
    help: "User and system CPU time of the load generator's process.",
    samples: () => {
      const { user, system } = process.cpuUsage();
      return single((user + system) / 1e6);
    },
  },
];

const GAUGES: readonly Figure[] = [
  {
    name: "fanout_orchestrations_in_flight",
    help: "Orchestrations that were sent and have not ended.",
    samples: ({ own }) => single(own?.inFlight),
  },
  {
    name: "fanout_stalled_seconds",
    help: "Seconds since the last completion during a stall of the run; else 0.",
    samples: ({ own }) => single(own && (own.stall?.lengthMs ?? 0) / 1_000),
  },
  {
    name: "process_resident_memory_bytes",
    help: "Resident memory of the load generator's process.",
    samples: () => single(process.memoryUsage.rss()),
  },
];

const SUMMARIES = [
  {
    name: "fanout_response_seconds",
    help: "Intended start until the completion was noticed, over the run so far.",
    latencyOf: ({ responseMs }: LiveSnapshot) => responseMs,
  },
  {
    name: "fanout_service_seconds",
    help: "Accepted until the completion was noticed, over the run so far.",
    latencyOf: ({ serviceMs }: LiveSnapshot) => serviceMs,
  },
] as const;

const QUANTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999, max: 1 } as const;

type SummaryValues = Awaited<ReturnType<Summary["get"]>>["values"];

/** A summary with quantiles that the run has already computed. */
class PrecomputedSummary extends Summary {
  values: SummaryValues = [];

  override async get() {
    return { ...(await super.get()), values: this.values };
  }
}

/** The metrics of a run. Import this file only when needed: it loads prom-client. */
export class SnapshotMetrics {
  readonly #registry = new Registry();
  readonly #counters = COUNTERS.map((figure) => ({ figure, metric: new Counter(this.#configOf(figure)) }));
  readonly #gauges = GAUGES.map((figure) => ({ figure, metric: new Gauge(this.#configOf(figure)) }));
  readonly #summaries = SUMMARIES.map((figure) => ({ figure, metric: new PrecomputedSummary(this.#configOf(figure)) }));
  readonly #latencies = new LatencyHistograms("fanout_", this.#registry);
  /** The largest value so far of each counter: Prometheus takes a decrease for a restart. */
  readonly #largest = new Map<string, number>();

  constructor({ runId }: RunLabels) {
    const labelNames = ["run_id", "version"];
    const info = new Gauge(this.#configOf({ name: "fanout_run_info", help: "The run and its fanout.", labelNames }));
    info.set({ run_id: runId, version: FANOUT_VERSION }, 1);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text of a scrape. Snapshots must come in the order of time. */
  async text(snapshot: LiveSnapshot, latencies: RunBuckets): Promise<string> {
    this.#latencies.set(latencies);
    for (const { figure, metric } of this.#counters) {
      metric.reset();
      for (const [value, labels] of figure.samples(snapshot))
        metric.inc(labels, this.#notFalling(figure.name + JSON.stringify(labels), value));
    }
    for (const { figure, metric } of this.#gauges) {
      metric.reset();
      for (const [value, labels] of figure.samples(snapshot)) metric.set(labels, value);
    }
    for (const { figure, metric } of this.#summaries)
      metric.values = this.#summaryValues(figure.name, figure.latencyOf(snapshot));

    return this.#registry.metrics();
  }

  #configOf({ name, help, labelNames = [] }: Omit<Figure, "samples">) {
    return { name, help, labelNames: [...labelNames], registers: [this.#registry] };
  }

  /**
   * The quantiles that the sample supports, with the maximum as quantile 1, and the sum and count for rates and means.
   */
  #summaryValues(name: string, latency: LatencySummary | undefined): SummaryValues {
    if (!latency) return [];
    const quantiles = Object.entries(QUANTILES).flatMap(([field, quantile]) => {
      const ms = latency[field as keyof typeof QUANTILES];
      return ms === undefined ? [] : [{ labels: { quantile }, value: ms / 1_000 }];
    });
    const [sumName, countName] = [`${name}_sum`, `${name}_count`];
    const sum = this.#notFalling(sumName, (latency.mean * latency.count) / 1_000);
    const count = this.#notFalling(countName, latency.count);
    return [
      ...quantiles,
      { metricName: sumName, labels: {}, value: sum },
      { metricName: countName, labels: {}, value: count },
    ];
  }

  #notFalling(key: string, value: number): number {
    const largest = Math.max(value, this.#largest.get(key) ?? 0);
    this.#largest.set(key, largest);
    return largest;
  }
}

function single(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [[value, {}]];
}

function labelled(name: string, values: Readonly<Record<string, number>> = {}): readonly Sample[] {
  return Object.entries(values).map(([label, value]) => [value, { [name]: label }]);
}

function outcomesOf({ completed, failed, terminated }: OwnSnapshot) {
  return { completed, failed, terminated };
}
