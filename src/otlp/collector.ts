import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import type { ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { toldText } from "../format/one-line.js";

/** An export is given up after this long, its retries included. */
const PATIENCE_MS = 5_000;

/** Beyond the exporter's own timeout, whose error says more. */
const SLACK_MS = 500;

type Exporter<T> = {
  export(items: T, done: (result: { readonly code: number; readonly error?: Error }) => void): void;
};

type Signal = "metrics" | "traces";

/**
 * A collector that takes OTLP over HTTP. Headers, certificates and compression come from the standard variables
 * OTEL_EXPORTER_OTLP_*, which the exporters read themselves. What it does not take is dropped, and said once.
 */
export class Collector {
  readonly #metrics: OTLPMetricExporter;
  readonly #traces: OTLPTraceExporter;
  #isTold = false;

  constructor(
    readonly url: string,
    readonly onLine: (line: string) => void,
  ) {
    this.#metrics = new OTLPMetricExporter({ url: `${url}/v1/metrics`, timeoutMillis: PATIENCE_MS });
    this.#traces = new OTLPTraceExporter({ url: `${url}/v1/traces`, timeoutMillis: PATIENCE_MS });
  }

  /** Resolves with whether the collector took them, after a bounded time. Never rejects. */
  sendMetrics(metrics: ResourceMetrics): Promise<boolean> {
    return this.#send("metrics", this.#metrics, metrics);
  }

  /** The same for spans. */
  sendSpans(spans: ReadableSpan[]): Promise<boolean> {
    return this.#send("traces", this.#traces, spans);
  }

  #send<T>(signal: Signal, exporter: Exporter<T>, items: T): Promise<boolean> {
    const sent = Promise.withResolvers<boolean>();
    // The exporter's own timeout does not hold while it connects, nor for an answer that trickles.
    const timer = setTimeout(() => {
      this.#tell(signal, new Error(`no answer within ${PATIENCE_MS / 1_000} s`));
      sent.resolve(false);
    }, PATIENCE_MS + SLACK_MS);
    void sent.promise.then(() => clearTimeout(timer));
    try {
      exporter.export(items, ({ code, error }) => {
        if (code !== SUCCESS) this.#tell(signal, error);
        sent.resolve(code === SUCCESS);
      });
    } catch (error) {
      this.#tell(signal, error);
      sent.resolve(false);
    }
    return sent.promise;
  }

  #tell(signal: Signal, error: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.onLine(`warning: the collector at ${this.url} does not take the ${signal} of the run: ${reasonOf(error)}`);
  }
}

/** `ExportResultCode.SUCCESS` of `@opentelemetry/core`. */
const SUCCESS = 0;

/** An answer has a status, a failed connection a code. The body of an answer may repeat a secret, and is left out. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "no reason given";
  const code = "code" in error ? error.code : undefined;
  if (typeof code === "number") return toldText(`HTTP ${code} ${error.message}`);
  // A host with several addresses fails with all their errors, and without a message.
  return toldText(error.message || (typeof code === "string" ? code : error.name));
}
