import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { formatCount, plural } from "../format/count.js";
import type { RunResult } from "../result/run-result.js";
import type { Timeline } from "../result/timeline-schema.js";
import type { RunBuckets } from "../stats/latency-buckets.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { Collector } from "./collector.js";
import { figuresOf, finalFigures, type RunFigures } from "./figures.js";
import { metricsOf } from "./metrics.js";
import { resourceOf, type TelemetryRun } from "./resource.js";
import { spansOf } from "./spans.js";

/** Where OTEL_METRIC_EXPORT_INTERVAL says nothing, whose own default is longer than many runs. */
const EVERY_MS = 5_000;
const AT_LEAST_EVERY_MS = 1_000;
/** The memory of spans has a limit: each is about a kilobyte. */
const MOST_SPANS = 50_000;
const SPANS_A_REQUEST = 1_000;
/** After the end of a run, so long for all its spans. */
const SPANS_PATIENCE_MS = 10_000;

/** What a run knows while it runs. */
interface MeasuredRun {
  snapshot(): LiveSnapshot;
  latencyBuckets(): RunBuckets;
}

export interface RunTelemetryOptions {
  readonly collector: Pick<Collector, "sendMetrics" | "sendSpans">;
  readonly run: TelemetryRun;
  readonly measured: MeasuredRun;
  readonly onLine: (line: string) => void;
}

/**
 * Sends the metrics of a run while it runs and at its end, and its traced orchestrations after it. One export of metrics is
 * in progress at a time. Nothing is queued, and nothing that a collector does changes the run.
 */
export class RunTelemetry {
  readonly #options: RunTelemetryOptions;
  readonly #resource: Resource;
  readonly #startedMs = Date.now();
  readonly #cpuBefore = process.cpuUsage();
  readonly #timer: NodeJS.Timeout;
  readonly #traces: (readonly Timeline[])[] = [];
  #spans = 0;
  #leftOut = 0;
  #isSending = false;

  constructor(options: RunTelemetryOptions) {
    this.#options = options;
    this.#resource = resourceOf(options.run);
    this.#timer = setInterval(() => void this.#sendNow(), intervalMs(process.env));
  }

  /** The timelines of a traced orchestration, its own first. */
  add(timelines: readonly Timeline[]): void {
    const spans = timelines.reduce((sum, timeline) => sum + 1 + 2 * timeline.spans.length, 0);
    if (spans === 0) return;
    if (this.#spans + spans > MOST_SPANS) {
      this.#leftOut += 1;
      return;
    }
    this.#spans += spans;
    this.#traces.push(timelines);
  }

  /** Sends the figures of the result and the traces. Resolves after a bounded time, and never rejects. */
  async end(result: RunResult): Promise<void> {
    this.stop();
    const figures = () => finalFigures(result, this.#options.measured.latencyBuckets());
    await Promise.allSettled([this.#sendMetrics(figures), this.#sendTraces()]);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #sendNow(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    const { measured } = this.#options;
    await Promise.allSettled([this.#sendMetrics(() => figuresOf(measured.snapshot(), measured.latencyBuckets()))]);
    this.#isSending = false;
  }

  async #sendMetrics(figures: () => RunFigures): Promise<boolean> {
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    const use = {
      userSeconds: user / 1e6,
      systemSeconds: system / 1e6,
      residentBytes: process.memoryUsage.rss(),
    };
    const moment = { startedMs: this.#startedMs, nowMs: Date.now() };
    return this.#options.collector.sendMetrics(metricsOf(this.#resource, figures(), use, moment));
  }

  async #sendTraces(): Promise<void> {
    const { collector, onLine } = this.#options;
    const deadlineMs = performance.now() + SPANS_PATIENCE_MS;
    let sent = 0;
    for (const { spans, traces } of this.#batches()) {
      if (performance.now() > deadlineMs || !(await collector.sendSpans(spans))) break;
      sent += traces;
    }
    const all = this.#traces.length + this.#leftOut;
    if (sent < all) onLine(`${formatCount(sent)} of ${plural(all, "trace")} were sent to the collector`);
  }

  *#batches(): Generator<{ readonly spans: ReadableSpan[]; readonly traces: number }> {
    let spans: ReadableSpan[] = [];
    let traces = 0;
    for (const timelines of this.#traces) {
      spans.push(...spansOf(timelines, this.#resource));
      traces += 1;
      if (spans.length < SPANS_A_REQUEST) continue;
      yield { spans, traces };
      [spans, traces] = [[], 0];
    }
    if (traces > 0) yield { spans, traces };
  }
}

/** The time between two exports. What is no number is ignored, as by the packages of OpenTelemetry. */
function intervalMs({ OTEL_METRIC_EXPORT_INTERVAL: asked = "" }: NodeJS.ProcessEnv): number {
  return /^\d{1,9}$/u.test(asked) ? Math.max(AT_LEAST_EVERY_MS, Number(asked)) : EVERY_MS;
}
