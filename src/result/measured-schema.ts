import { z } from "zod";
import type {
  ClockOffset,
  Concurrency,
  CrossingSummary,
  EncodedHistogram,
  GeneratorHealth,
  Interval,
  IntervalLatency,
  LatencySummary,
  Phase,
  Recount,
  RunResult,
  Stall,
  Throughput,
} from "./run-result.js";
import {
  boolean,
  byGrpcStatus,
  byName,
  count,
  list,
  listed,
  number,
  object,
  oneOf,
  signed,
  string,
} from "./json-field.js";

const summary = {
  count: count.describe("Samples."),
  mean: number,
  p50: number.exactOptional(),
  p90: number.exactOptional(),
  p95: number.exactOptional(),
  p99: number.exactOptional(),
  p999: number.exactOptional(),
  max: number,
};

const latency: z.ZodType<LatencySummary> = object(summary).meta({
  id: "LatencySummary",
  description: "Milliseconds. A percentile that the sample cannot carry is absent.",
});

const crossing: z.ZodType<CrossingSummary> = object({
  ...summary,
  until: oneOf("completed", "noticed")
    .exactOptional()
    .describe(
      "What it ends with: the completion by the backend's clock, or the moment at which the client noticed it.",
    ),
  boundMs: number.exactOptional().describe("Every figure is true within plus or minus this."),
}).meta({
  id: "CrossingSummary",
  description:
    "Milliseconds, from the client's clock to the backend's. A percentile that the sample cannot carry is absent.",
});

const intervalLatency: z.ZodType<IntervalLatency> = object({
  count,
  p50: number.exactOptional(),
  p99: number.exactOptional(),
  max: number,
  buckets: list(number).describe("[bucket, count, bucket, count, ...], ascending."),
}).meta({
  id: "IntervalLatency",
  description: "Milliseconds, of those that were due in the interval and completed.",
});

export const latencies: z.ZodType<RunResult["latencyMs"]> = object({
  response: crossing.exactOptional().describe("Intended start until completed; absent in closed load."),
  service: crossing.exactOptional().describe("Accepted until completed."),
  detectionLag: crossing.exactOptional().describe("Completed until noticed."),
  startRpc: latency.exactOptional().describe("Sent until accepted."),
  slip: latency.exactOptional().describe("Intended until sent: how late a start left."),
  server: latency.exactOptional().describe("Created until completed, by the backend's clock."),
});

export const throughput: z.ZodType<Throughput> = object({
  makespanMs: number.exactOptional().describe("From the first intended start until the last completion."),
  windowMs: number
    .exactOptional()
    .describe("Of load that time bounds: the intervals of its starts, with what response time grew by; or its window."),
  orchestrationsPerSecond: number,
  activitiesPerSecond: number.exactOptional(),
  actionsPerSecond: number.exactOptional(),
});

export const phase: z.ZodType<Phase> = object({
  name: string,
  fromMs: number.describe("From the start of the run."),
  lengthMs: number,
  offeredPerSecond: number.exactOptional().describe("Starts that were due in it, per second; open load only."),
  started: count.describe("Of the starts that were due in it."),
  completed: count.describe("Of the starts that were due in it."),
  completedPerSecond: number.describe("Completions in it, per second, whenever they were started."),
  response: crossing.exactOptional(),
  service: crossing.exactOptional(),
});

export const interval: z.ZodType<Interval> = object({
  fromMs: number.describe("From the start of the run."),
  lengthMs: number,
  offered: count.describe("Starts that were due."),
  started: count.describe("Starts that left."),
  completed: count,
  failed: count.describe("Failed or terminated."),
  activities: count.exactOptional(),
  actions: count.exactOptional(),
  inFlight: count.describe("Accepted and not ended, at the end of the interval."),
  rpcErrors: byGrpcStatus.exactOptional(),
  reconnects: count.exactOptional().describe("How often the run's own workers lost the backend."),
  response: intervalLatency.exactOptional(),
  service: intervalLatency.exactOptional(),
});

export const stall: z.ZodType<Stall> = object({
  fromMs: number.describe("The last completion before it, from the start of the run."),
  lengthMs: number,
  open: boolean.exactOptional().describe("It had not ended when the run did."),
  inFlight: count,
  offeredPerSecond: number.describe("Starts that were due during it, per second."),
  rpcErrors: byGrpcStatus,
});

export const generator: z.ZodType<GeneratorHealth> = object({
  heldBack: count.describe("Starts that --max-in-flight held back."),
  slipMs: latency.exactOptional().describe("Of the starts that were not held back."),
  slipShare: object({
    mean: number.exactOptional(),
    p50: number.exactOptional(),
    p90: number.exactOptional(),
    p95: number.exactOptional(),
    p99: number.exactOptional(),
    p999: number.exactOptional(),
  })
    .exactOptional()
    .describe("What that slip is of each figure of the response time, as a share of 1; of open load only."),
  slipGrowthMs: number.exactOptional().describe("By how much it grew from the first start to the last."),
  eventLoopDelayMs: latency.exactOptional(),
  clockJumpMs: number.exactOptional().describe("The largest step of the system's clock, either way."),
  cpu: object({ machine: number, generator: number })
    .exactOptional()
    .describe("Shares of all cores that were busy: on the whole, and with the process that made the load."),
});

export const clock: z.ZodType<ClockOffset> = object({
  offsetMs: signed,
  boundMs: number.describe("No offset used was further from the truth."),
  driftMs: signed.describe("How far it moved from the first window to the last."),
});

export const concurrency: z.ZodType<Concurrency> = object({
  planned: number,
  effective: number.describe("Completions per second x mean service time."),
});

export const recount: z.ZodType<Recount> = z.union(
  [
    object({
      instances: count,
      byStatus: byName(count, "an object of counts by status"),
      lost: listed(string).describe("Accepted and not there any more."),
      unexpected: listed(string).describe("There, and never accepted as far as the run knows."),
    }),
    object({ unknown: string.describe("Why the backend could not be asked.") }),
  ],
  'an object with "instances", "byStatus", "lost" and "unexpected", or with "unknown"',
);

export const histogram: z.ZodType<EncodedHistogram> = object({
  hdr: string.describe(
    "Microseconds, HdrHistogram V2, compressed, base64: https://hdrhistogram.github.io/HdrHistogram/",
  ),
  count,
});
