import { boolean, count, number, object, string } from "./json-field.js";
import { crossing, intervalLatency } from "./latency-schema.js";
import { byGrpcStatus, measured } from "./measured-field.js";

// What completed orchestrations did, and when.

export const throughput = object({
  makespanMs: measured.duration
    .exactOptional()
    .describe(
      "Of a run that starts all at once, or a number of them: from the first intended start until the last completion was " +
        "noticed.",
    ),
  windowMs: measured.duration
    .exactOptional()
    .describe(
      "Of load that time bounds. Open load of which all ended: the intervals of its starts, with what response time grew " +
        "by. Any other: from the end of the warm-up until the last start was due.",
    ),
  orchestrationsPerSecond: measured.rate,
  activitiesPerSecond: measured.rate.exactOptional(),
  actionsPerSecond: measured.rate.exactOptional(),
});

/** One part of the load: the warm-up, or a stage. */
export const phase = object({
  name: string,
  fromMs: number.describe("From the start of the run."),
  lengthMs: number,
  offeredPerSecond: number.exactOptional().describe("Starts that were due in it, per second; open load only."),
  started: count.describe("Of the starts that were due in it."),
  completed: count.describe("Of the starts that were due in it."),
  completedPerSecond: number.describe("Completions noticed in it, per second, whenever they were started."),
  response: crossing.exactOptional(),
  service: crossing.exactOptional(),
});

/** Starts and latency belong to when the start was due, the rest to when it happened. */
export const interval = object({
  fromMs: number.describe("From the start of the run."),
  lengthMs: number,
  offered: count.describe("Starts that were due."),
  started: count.describe("Starts that left."),
  completed: count,
  failed: count.describe("Failed or terminated."),
  activities: count
    .exactOptional()
    .describe("By counts.activities.source; absent where what an orchestration does is not known."),
  actions: count.exactOptional(),
  inFlight: count.describe("Sent and not ended, at the end of the interval."),
  rpcErrors: byGrpcStatus.exactOptional(),
  reconnects: count
    .exactOptional()
    .describe("How often the run's own workers lost the backend; absent where none did."),
  response: intervalLatency.exactOptional(),
  service: intervalLatency.exactOptional(),
});

export const outage = object({
  fromMs: number.describe("The first call that found the backend away, from the start of the run."),
  lengthMs: number.describe("Until a call was answered again."),
  open: boolean.exactOptional().describe("It had not ended when the run did."),
  found: string.describe("What the last call found."),
});

export const stall = object({
  fromMs: number.describe("The last completion before it, from the start of the run."),
  lengthMs: number,
  open: boolean.exactOptional().describe("It had not ended when the run did."),
  inFlight: count.describe("The most that was in flight during it."),
  offeredPerSecond: number.describe("Starts that were due during it, per second."),
  rpcErrors: byGrpcStatus,
});
