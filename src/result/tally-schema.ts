import { boolean, byName, count, list, number, object, signed, string } from "./json-field.js";

// What merging the shards of a run needs, and the figures of a shard do not tell.

export const durationTally = object({
  hdr: string.exactOptional().describe("As in histograms; absent without a sample."),
  count,
  sumMs: number,
  maxMs: number,
});

/** Of one latency, for each of the ends that it may be measured until. */
export const crossingTally = object({ completed: durationTally, noticed: durationTally, boundMs: number });

/** A least-squares line, as Welford's updates keep it. */
export const driftTally = object({
  count,
  meanDueMs: signed,
  meanLatencyMs: signed,
  dueSquares: number,
  latencySquares: number,
  products: signed,
});

export const latenciesTally = object({
  response: crossingTally,
  service: crossingTally,
  punctual: crossingTally.describe("Response time without the slip of this process."),
  detectionLag: durationTally,
  startRpc: durationTally,
  slip: durationTally,
  unheldSlip: durationTally,
  server: durationTally,
  slipDrift: driftTally,
  lagBoundMs: number,
});

export const windowTally = object({
  started: count,
  firstDueMs: number.exactOptional(),
  completedOfDue: count,
  completed: count,
  activities: count,
  lastCompletedMs: number,
  lastNotCompletedMs: number,
  drift: driftTally,
});

export const phaseTally = object({
  started: count,
  completed: count,
  completions: count,
  unsent: count.exactOptional(),
  response: crossingTally,
  service: crossingTally,
});

export const intervalTally = object({
  offered: count,
  started: count,
  completed: count,
  failed: count,
  activities: count,
  reconnects: count,
  rpcErrors: byName(count, "an object of counts by gRPC status"),
  latencies: byName(
    object({ buckets: list(number), maxMs: number }),
    'an object of histograms by latency and end, such as "service noticed"',
  ),
});

export const seriesTally = object({ widthMs: number, intervals: list(intervalTally) });

export const growthTally = object({
  lines: object({ count, meanSlopeUs: signed, slopeSquares: number, meanUs: number }).describe(
    "What an iteration took by its number: a least-squares line of each traced orchestration.",
  ),
  alone: object({ standardErrorUs: number, degreesOfFreedom: count }).exactOptional().describe("Of the only line."),
  groupSize: count,
  groups: list(object({ count, sumUs: number })).describe("Of neighbouring iterations."),
  firstEpisode: durationTally,
});

/** Times of a phase beside the whole times of the same orchestrations: means, and squares and products of the deviations. */
export const momentsTally = object({
  count: count.describe("Orchestrations."),
  meanWholeUs: signed,
  meanPhaseUs: signed,
  wholeSquares: number,
  phaseSquares: number,
  products: signed,
});

export const breakdownTally = object({
  phases: byName(
    object({ each: durationTally.describe("Each time that it happened."), inEach: momentsTally }),
    "an object of phases",
  ),
});

export const runTally = object({
  isSettled: boolean.describe("All starts that were due were sent and have ended."),
  accepted: count.describe("Starts that the backend acknowledged."),
  neverSent: count.describe("Starts of the plan that were never sent, due or not."),
  idle: list(object({ fromMs: number, toMs: number }))
    .exactOptional()
    .describe("Times of half a second or more in which nothing was in flight; absent in results of an older fanout."),
  irregular: object({ instances: count, actions: count, measured: count, missing: string.exactOptional() })
    .exactOptional()
    .describe("Actions counted from histories, of instances that no formula covers."),
  latencies: latenciesTally,
  window: windowTally,
  phases: list(phaseTally),
  series: seriesTally,
  growth: growthTally.exactOptional(),
  breakdown: breakdownTally
    .exactOptional()
    .describe("Absent where nothing was traced, and in results of an older fanout."),
});
