import type { FastifyInstance } from "fastify";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { summedBuckets, type RunBuckets } from "../stats/latency-buckets.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { RUN_STATUSES } from "../runs/listed-run.js";
import type { ServedRun } from "../runs/served-run.js";
import type { ServedRuns } from "../runs/served-runs.js";
import { FANOUT_VERSION } from "../version.js";
import { LatencyHistograms } from "./latency-histograms.js";

/** Those of https://opentelemetry.io/docs/specs/semconv/http/http-metrics/, whose name and labels the histogram has too. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const RUN_SECONDS = [1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400];

/** What the runs of a server have done since it began. */
interface Totals {
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly terminated: number;
  readonly activities: number;
}

const NOTHING: Totals = { started: 0, completed: 0, failed: 0, terminated: 0, activities: 0 };

/**
 * What a server does, for Prometheus: its requests, its runs and its process. prom-client has classic histograms only.
 */
export class ServiceMetrics {
  readonly #registry = new Registry();
  readonly #durations: Histogram;
  #runs: RunMetrics | undefined;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    const labelNames = ["version", "node"];
    new Gauge({ name: "fanout_build_info", help: "The fanout that serves.", labelNames, registers }).set(
      { version: FANOUT_VERSION, node: process.versions.node },
      1,
    );
    this.#durations = new Histogram({
      name: "http_server_request_duration_seconds",
      help: "Time until the answer was sent, without the events of runs.",
      labelNames: ["http_request_method", "http_route", "http_response_status_code"],
      buckets: SECONDS,
      registers,
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    this.#runs?.update();
    return this.#registry.metrics();
  }

  /** Adds what the server does with runs. */
  follow(runs: ServedRuns): void {
    this.#runs = new RunMetrics(runs, this.#registry);
  }

  /** Measures the requests of all routes. */
  measure(app: FastifyInstance): void {
    app.addHook("onResponse", async (request, reply) => {
      const { url: route = "none" } = request.routeOptions;
      // Its duration is the patience of a viewer.
      if (route.endsWith("/events")) return;
      const labels = {
        http_request_method: request.method,
        http_route: request.is404 ? "none" : route,
        http_response_status_code: reply.statusCode,
      };
      this.#durations.observe(labels, reply.elapsedTime / 1_000);
    });
  }
}

/** The figures of the runs of a server. Those of a run that is forgotten stay in the counters. */
class RunMetrics {
  readonly #runs: ServedRuns;
  readonly #inState: Gauge;
  readonly #inFlight: Gauge;
  readonly #seconds: Histogram;
  readonly #started: Counter;
  readonly #ended: Counter;
  readonly #activities: Counter;
  readonly #latencies: LatencyHistograms;
  #ofEnded = NOTHING;
  #latenciesOfEnded: RunBuckets = {};

  constructor(runs: ServedRuns, registry: Registry) {
    const registers = [registry];
    this.#runs = runs;
    runs.onEnd((run) => this.#addEnded(run));
    this.#inState = new Gauge({
      name: "fanout_serve_runs",
      help: "Runs in progress, and those that are kept.",
      labelNames: ["status"],
      registers,
    });
    new Gauge({ name: "fanout_serve_max_runs", help: "--max-runs.", registers }).set(runs.options.most);
    this.#latencies = new LatencyHistograms("fanout_serve_", registry);
    this.#inFlight = new Gauge({
      name: "fanout_serve_orchestrations_in_flight",
      help: "Orchestrations of the runs in progress that were sent and have not ended.",
      registers,
    });
    this.#seconds = new Histogram({
      name: "fanout_serve_run_duration_seconds",
      help: "Time of runs that have ended, with their start and end.",
      labelNames: ["status"],
      buckets: RUN_SECONDS,
      registers,
    });
    this.#started = new Counter({
      name: "fanout_serve_orchestrations_started_total",
      help: "Orchestrations of runs whose start was sent.",
      registers,
    });
    this.#ended = new Counter({
      name: "fanout_serve_orchestrations_ended_total",
      help: "Orchestrations of runs whose end has been noticed.",
      labelNames: ["outcome"],
      registers,
    });
    this.#activities = new Counter({
      name: "fanout_serve_activities_completed_total",
      help: "Completed activities of runs, as far as the runs know them.",
      registers,
    });
  }

  update(): void {
    const { all, inProgress } = this.#runs;
    for (const status of RUN_STATUSES) this.#inState.set({ status }, all.filter((run) => run.status === status).length);
    const snapshots = inProgress.flatMap(({ snapshot }) => snapshot ?? []);
    this.#inFlight.set(this.#runs.orchestrationsInFlight);
    const { started, activities, ...outcomes } = snapshots.reduce(added, this.#ofEnded);
    set(this.#started, started);
    set(this.#activities, activities);
    this.#latencies.set(
      summedBuckets([this.#latenciesOfEnded, ...inProgress.flatMap(({ latencies }) => latencies ?? [])]),
    );
    this.#ended.reset();
    for (const [outcome, count] of Object.entries(outcomes)) this.#ended.inc({ outcome }, count);
  }

  #addEnded({ status, created, endedAt, snapshot, latencies = {} }: ServedRun): void {
    this.#seconds.observe({ status }, (Number(endedAt) - Number(created)) / 1_000);
    this.#latenciesOfEnded = summedBuckets([this.#latenciesOfEnded, latencies]);
    if (snapshot !== undefined) this.#ofEnded = added(this.#ofEnded, snapshot);
  }
}

function added(totals: Totals, { orchestrations, activities, own }: LiveSnapshot): Totals {
  return {
    started: totals.started + orchestrations.started,
    completed: totals.completed + (own?.completed ?? 0),
    failed: totals.failed + (own?.failed ?? 0),
    terminated: totals.terminated + (own?.terminated ?? 0),
    activities: totals.activities + activities.completed,
  };
}

/** The counter's value is known as a whole. */
function set(counter: Counter, value: number): void {
  counter.reset();
  counter.inc(value);
}
