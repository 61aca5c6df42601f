import { ValueType, type Attributes, type HrTime } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type DataPoint,
  type MetricData,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import { BUCKET_BOUNDS_MS, type CrossingBuckets, type LatencyBuckets } from "../stats/latency-buckets.js";
import type { RunFigures } from "./figures.js";
import { SCOPE } from "./resource.js";

/** Milliseconds since the epoch. */
export interface Moment {
  readonly startedMs: number;
  readonly nowMs: number;
}

/** What the process of the load generator has used. */
export interface ProcessUse {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly residentBytes: number;
}

type Value<T> = readonly [value: T, attributes?: Attributes | undefined];

const BOUNDS_SECONDS = BUCKET_BOUNDS_MS.map((ms) => ms / 1_000);
const START_CALL = { "rpc.system.name": "grpc", "rpc.method": "TaskHubSidecarService/StartInstance" };

/**
 * The metrics of a run at one moment. They are cumulative: each export holds the whole run so far, so that one that was lost
 * costs nothing but its moment, and nothing has to be kept to send it again. Units are those of UCUM.
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/
 */
export function metricsOf(
  resource: Resource,
  figures: RunFigures,
  use: ProcessUse,
  { startedMs, nowMs }: Moment,
): ResourceMetrics {
  const metrics = new Metrics(hrTime(startedMs), hrTime(nowMs));
  const { started, ended, activities, heldBack, rpcErrors, inFlight, stalledMs, latencies } = figures;
  metrics.counter("fanout.orchestrations.started", "{orchestration}", "Orchestrations whose start was sent.", [
    [started],
  ]);
  metrics.counter(
    "fanout.orchestrations.ended",
    "{orchestration}",
    "Orchestrations whose end was noticed.",
    Object.entries(ended).map(([outcome, count]) => [count, { "fanout.outcome": outcome }]),
  );
  metrics.upDown("fanout.orchestrations.in_flight", "{orchestration}", "Sent and not ended.", [[inFlight]]);
  metrics.counter("fanout.activities.completed", "{activity}", "Completed activities, as far as the run knows them.", [
    [activities],
  ]);
  metrics.counter("fanout.starts.held_back", "{start}", "Starts that --max-in-flight held back.", [[heldBack]]);
  metrics.counter(
    "fanout.rpc.errors",
    "{call}",
    "Failed attempts of calls to the backend, also those that a retry repaired.",
    Object.entries(rpcErrors).map(([status, count]) => [count, { "rpc.response.status_code": status }]),
  );
  metrics.gauge("fanout.stall.duration", "s", "Time since the last completion during a stall of the run; else 0.", [
    [stalledMs / 1_000],
  ]);
  metrics.histogram(
    "fanout.orchestration.response.duration",
    "Intended start until the end.",
    crossing(latencies.response),
  );
  metrics.histogram("fanout.orchestration.service.duration", "Accepted until the end.", crossing(latencies.service));
  metrics.histogram(
    "fanout.orchestration.server.duration",
    "Created until completed, by the backend's clock.",
    present(latencies.server),
  );
  metrics.histogram("fanout.start.slip", "How late starts left against their schedule.", present(latencies.slip));
  metrics.histogram("rpc.client.call.duration", "Start sent until accepted.", present(latencies.startRpc, START_CALL));
  metrics.counter(
    "process.cpu.time",
    "s",
    "CPU time of the load generator's process.",
    [
      [use.userSeconds, { "cpu.mode": "user" }],
      [use.systemSeconds, { "cpu.mode": "system" }],
    ],
    ValueType.DOUBLE,
  );
  metrics.upDown("process.memory.usage", "By", "Resident memory of the load generator's process.", [
    [use.residentBytes],
  ]);
  return { resource, scopeMetrics: [{ scope: SCOPE, metrics: metrics.all }] };
}

/** Both ends of a latency. They are series of their own: a histogram that changed its end would fall. */
function crossing({ noticed, completed }: CrossingBuckets = {}): readonly Value<LatencyBuckets>[] {
  return [...present(noticed, { "fanout.until": "noticed" }), ...present(completed, { "fanout.until": "completed" })];
}

function present(buckets: LatencyBuckets | undefined, attributes?: Attributes): readonly Value<LatencyBuckets>[] {
  return buckets ? [[buckets, attributes]] : [];
}

/** Metrics without a value are left out. */
class Metrics {
  readonly all: MetricData[] = [];

  constructor(
    readonly startTime: HrTime,
    readonly endTime: HrTime,
  ) {}

  counter(
    name: string,
    unit: string,
    description: string,
    values: readonly Value<number>[],
    valueType = ValueType.INT,
  ): void {
    this.#sum(true, { name, unit, description, valueType }, values);
  }

  upDown(name: string, unit: string, description: string, values: readonly Value<number>[]): void {
    this.#sum(false, { name, unit, description, valueType: ValueType.INT }, values);
  }

  gauge(name: string, unit: string, description: string, values: readonly Value<number>[]): void {
    this.#add({
      descriptor: { name, unit, description, valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.GAUGE,
      dataPoints: values.map((value) => this.#point(value)),
    });
  }

  histogram(name: string, description: string, values: readonly Value<LatencyBuckets>[]): void {
    this.#add({
      descriptor: { name, unit: "s", description, valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: values.map(([{ counts, count, sumMs, maxMs }, attributes]) =>
        this.#point([
          {
            buckets: { boundaries: [...BOUNDS_SECONDS], counts: [...counts] },
            count,
            sum: sumMs / 1_000,
            max: maxMs / 1_000,
          },
          attributes,
        ]),
      ),
    });
  }

  #sum(isMonotonic: boolean, descriptor: MetricData["descriptor"], values: readonly Value<number>[]): void {
    this.#add({
      descriptor,
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.SUM,
      isMonotonic,
      dataPoints: values.map((value) => this.#point(value)),
    });
  }

  #point<T>([value, attributes = {}]: Value<T>): DataPoint<T> {
    return { startTime: this.startTime, endTime: this.endTime, attributes, value };
  }

  #add(metric: MetricData): void {
    if (metric.dataPoints.length > 0) this.all.push(metric);
  }
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
