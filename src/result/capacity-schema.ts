import { z } from "zod";
import { environment } from "./environment-schema.js";
import { boolean, count, list, number, object, oneOf, string, type ValueOf } from "./json-field.js";
import { resultPlan } from "./plan-schema.js";
import { judgedThreshold } from "./result-schema.js";

const level = number.describe("Starts per second in open load, orchestrations in flight in closed load.");
const latency = object({
  mean: number,
  p50: number.exactOptional(),
  p90: number.exactOptional(),
  p95: number.exactOptional(),
  p99: number.exactOptional(),
  p999: number.exactOptional(),
  max: number,
}).describe(
  "Milliseconds: response time in open load, service time in closed load. A percentile is absent if the sample is too small.",
);

const probe = object({
  number: count.describe("From 1, in the order of time."),
  runId: string.describe("The ids of its instances begin with it."),
  purpose: oneOf("calibrate", "grow", "shrink", "bisect", "confirm", "half"),
  level,
  outcome: oneOf("held", "missed", "invalid").describe(
    "invalid: it says nothing of the backend, because the generator was the limit or the sample too small.",
  ),
  reason: string.exactOptional().describe("Why it did not hold."),
  early: boolean.describe("It was decided before all of its time."),
  loadMs: number.describe("How long starts were sent, with the warm-up."),
  started: count,
  completed: count,
  failed: count,
  unfinished: count.describe("Not ended within the grace. They were terminated."),
  left: count.describe("Of them, those that had not ended when the next probe began."),
  completedPerSecond: number.exactOptional().describe("After the warm-up, while starts were sent."),
  latencyMs: latency.exactOptional(),
  objectives: list(judgedThreshold),
  verdict: oneOf("valid", "suspect", "invalid").exactOptional(),
});

const rates = object({
  orchestrationsPerSecond: number,
  activitiesPerSecond: number.exactOptional().describe("Absent if the content of an orchestration is unknown."),
  actionsPerSecond: number.exactOptional(),
  capacityUnits: number.exactOptional().describe("Units of a Dedicated scheduler: 2,000 actions/s each."),
  shareOfCapacity: number.exactOptional().describe("Of --capacity-units, of 1."),
});

const estimate = object({ value: number, low: number, high: number }).describe("With its 95 % confidence interval.");

const scalability = object({
  perSecondOfOne: estimate.describe("Completions per second with one in flight."),
  contention: estimate.describe("The share of work that waits in line."),
  coherency: estimate.describe("The cost of each pair in flight."),
  rSquared: number,
  largestResidual: number.describe("Of 1: how far the worst point lies from the fit."),
  peak: object({ level: number, perSecond: number })
    .exactOptional()
    .describe("Where throughput is highest; absent if it keeps growing."),
}).describe("Gunther's Universal Scalability Law, present only if it explains the points.");

/** What `fanout capacity --json` writes. Names are a published contract: fields may be added, none renamed. */
export const capacitySchema = object({
  schemaVersion: z.literal(1, "1"),
  searchId: string,
  startedAt: z.iso.datetime("a time such as 2030-01-02T03:04:05.678Z"),
  durationMs: number,
  load: oneOf("open", "closed"),
  objectives: list(string).describe("Such as p99<2s."),
  precision: number.describe("Of 1."),
  plan: resultPlan.describe("The work of each orchestration. Its load is that of the last probe."),
  environment: environment.exactOptional().describe("Absent if no probe ended."),
  ended: oneOf(
    "found",
    "wide",
    "generator",
    "never-missed",
    "never-held",
    "time",
    "actions",
    "interrupted",
    "failed",
  ).describe(
    "Why the search ended. found: an interval within the precision, with three probes that agree at each end.",
  ),
  why: string.describe("The same in words, with what to change."),
  held: level.exactOptional().describe("The highest level that held: the capacity is at least this."),
  missed: level.exactOptional().describe("The lowest level above it that did not hold."),
  generatorLimit: level.exactOptional().describe("The lowest level above it at which the generator was the limit."),
  confirmed: boolean.describe("Three probes agree at each end of the interval."),
  disagreements: list(object({ level, outcomes: list(oneOf("held", "missed")) })).describe(
    "Levels whose probes disagree, with the outcomes in the order of time: the capacity drifts, or lies there.",
  ),
  atHeld: rates.exactOptional().describe("What the highest level that held is, in other units."),
  latencyAtHeldMs: latency.exactOptional(),
  latencyAtHalfMs: latency.exactOptional().describe("At half of the highest level that held."),
  knee: level
    .exactOptional()
    .describe("The probed level with the highest throughput over mean latency (Kleinrock's power)."),
  scalability: scalability.exactOptional(),
  atLeast: object({ level, passed: boolean }).exactOptional().describe("With --at-least."),
  left: list(string).describe("The run ids of probes whose instances had not all ended."),
  probes: list(probe),
});

export type CapacityResult = ValueOf<typeof capacitySchema>;
export type CapacityProbe = CapacityResult["probes"][number];
export type CapacityLatency = ValueOf<typeof latency>;
export type Scalability = ValueOf<typeof scalability>;
export type CapacityEnding = CapacityResult["ended"];
