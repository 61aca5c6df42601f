import type { SeveralGenerators } from "../generators/several-generators.js";
import type { LoadTest } from "../load/load-test.js";
import type { Collector } from "../otlp/collector.js";
import type { RunTelemetry } from "../otlp/run-telemetry.js";
import { resultPlanOf } from "../plan/plan.js";
import type { RunCall } from "./run-call.js";

export type { Collector };

/** The collector of `--otlp`. Other runs do not load what talks to it. */
export async function openCollector(
  { otlp }: Pick<RunCall, "otlp">,
  say: (line: string) => void,
): Promise<Collector | undefined> {
  if (otlp === undefined) return undefined;
  const { Collector } = await import("../otlp/collector.js");
  return new Collector(otlp, say);
}

interface SentRun {
  readonly collector: Collector | undefined;
  readonly call: Pick<RunCall, "plan">;
  readonly runId: string;
}

/** What `--otlp` sends of a run. */
export async function telemetryOf(
  { collector, call, runId }: SentRun,
  measured: LoadTest | SeveralGenerators,
  onLine: (line: string) => void,
): Promise<RunTelemetry | undefined> {
  if (collector === undefined) return undefined;
  const { RunTelemetry } = await import("../otlp/run-telemetry.js");
  const { labels = {} } = resultPlanOf(call.plan);
  const { shard } = call.plan;
  return new RunTelemetry({ collector, run: { runId, labels, shard }, measured, onLine });
}
