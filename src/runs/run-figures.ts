import { z } from "zod";
import type { LatencySummary, RunResult } from "../result/run-result.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";

/** The few figures of a run that tell it from others in a list. */
export const RunFigures = z.object({
  orchestrationsPerSecond: z.number().optional(),
  activitiesPerSecond: z.number().optional(),
  p50Ms: z.number().optional().describe("Of the response time, or of the service time of closed load."),
  p99Ms: z.number().optional().describe("Of the same; absent if the sample is too small."),
  verdict: z.enum(["valid", "suspect", "invalid"]).optional().describe("Of a run that has a result."),
  thresholdsMissed: z.int().optional().describe("Of a run with thresholds that has a result."),
});

export type RunFigures = z.output<typeof RunFigures>;

/** Of the result, or of the run so far: then a rate is the mean since its first start. */
export function figuresOf(result: RunResult | undefined, snapshot: LiveSnapshot | undefined): RunFigures {
  return result === undefined ? (snapshot ? figuresSoFar(snapshot) : {}) : figuresAtEnd(result);
}

function figuresAtEnd({ throughput, latencyMs, verdict, thresholds = [] }: RunResult): RunFigures {
  return withoutAbsent({
    orchestrationsPerSecond: throughput?.orchestrationsPerSecond,
    activitiesPerSecond: throughput?.activitiesPerSecond,
    ...latencyFigures(latencyMs.response ?? latencyMs.service),
    verdict: verdict?.status,
    thresholdsMissed: thresholds.length === 0 ? undefined : thresholds.filter(({ passed }) => !passed).length,
  });
}

function figuresSoFar({ elapsedMs, orchestrations, activities, responseMs, serviceMs }: LiveSnapshot): RunFigures {
  const perSecond = (count: number): number | undefined =>
    elapsedMs > 0 && count > 0 ? (count * 1_000) / elapsedMs : undefined;
  return withoutAbsent({
    orchestrationsPerSecond: perSecond(orchestrations.ended),
    activitiesPerSecond: perSecond(activities.completed),
    ...latencyFigures(responseMs ?? serviceMs),
  });
}

function latencyFigures(latency: LatencySummary | undefined) {
  return { p50Ms: latency?.p50, p99Ms: latency?.p99 };
}

/** Nor what JSON has no number for. */
function withoutAbsent(figures: { readonly [Name in keyof RunFigures]: RunFigures[Name] | undefined }): RunFigures {
  return Object.fromEntries(
    Object.entries(figures).filter(
      ([, value]) => value !== undefined && (typeof value !== "number" || Number.isFinite(value)),
    ),
  );
}
