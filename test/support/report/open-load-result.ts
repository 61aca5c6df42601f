import { LatencyHistogram } from "../../../src/stats/latency-histogram.js";
import { SparseHistogram } from "../../../src/stats/sparse-histogram.js";
import type { CrossingSummary, Interval, IntervalLatency, Phase, RunResult } from "../../../src/result/run-result.js";
import { sampleResult } from "./sample-result.js";

const RUN_ID = "r0123456789ab";
const BOUND_MS = 0.4;
const SECOND = 1_000;
const END_MS = 120 * SECOND;
const LAST_DUE_MS = 115 * SECOND;
const STALL = { fromMs: 72_300, lengthMs: 2_040 };
const ACTIVITIES = 20;
const WARMUP_STARTS = 400;

/** When start number k is due: 40/s for 10 s of warm-up and 45 s, then 40/s to 80/s in 60 s. */
const DUE_MS = [
  ...Array.from({ length: 2_200 }, (_, k) => k * 25),
  ...Array.from({ length: 3_600 }, (_, k) => 55_000 + 60_000 * (Math.sqrt(1 + k / 1_200) - 1)),
];

interface Orchestration {
  readonly dueMs: number;
  readonly acceptedMs: number;
  readonly endMs: number;
  readonly end: "completed" | "failed" | "unfinished";
}

/** They take 180 to 300 ms; what would have ended in the stall ends behind it. Three fail, the last twelve hang. */
const ORCHESTRATIONS = DUE_MS.map((dueMs, k): Orchestration => {
  const acceptedMs = dueMs + 2 + (k % 7) / 10;
  const endMs = acceptedMs + 180 + ((k * 37) % 120);
  const stalled = endMs > STALL.fromMs && endMs < STALL.fromMs + STALL.lengthMs;
  const end = k >= 5_788 ? "unfinished" : k % 1_900 === 1_000 ? "failed" : "completed";
  return { dueMs, acceptedMs, endMs: stalled ? STALL.fromMs + STALL.lengthMs + (k % 90) : endMs, end };
});

const COMPLETED = ORCHESTRATIONS.filter(({ end }) => end === "completed");
const MEASURED = ORCHESTRATIONS.slice(WARMUP_STARTS);
const RESPONSE = histogramOf(MEASURED, responseOf);
const SERVICE = histogramOf(MEASURED, serviceOf);

/** A run of open load that has every field such a run may have: two stages, a stall, and a verdict of suspect. */
export const openLoadResult: RunResult = {
  ...sampleResult,
  runId: RUN_ID,
  durationMs: END_MS,
  plan: {
    iterations: 2,
    parallelActivities: 10,
    load: {
      kind: "open",
      arrival: "constant",
      stages: [
        { fromPerSecond: 40, toPerSecond: 40, lengthMs: 45 * SECOND },
        { fromPerSecond: 40, toPerSecond: 80, lengthMs: 60 * SECOND },
      ],
      maxInFlight: 10_000,
    },
    warmupMs: 10 * SECOND,
    graceMs: 5 * SECOND,
    seed: 42,
    labels: { branch: "main", "durable store": "netherite" },
    workers: "auto",
    timeoutMs: 600 * SECOND,
  },
  verdict: {
    status: "suspect",
    reasons: [
      {
        severity: "suspect",
        name: "cpu",
        text: "the machine was 93 % busy (limit 90 %), 21 % of it this process",
        advice: "run the workers or the backend on another machine",
      },
    ],
  },
  counts: {
    planned: 5_800,
    warmup: WARMUP_STARTS,
    orchestrations: { started: 5_800, completed: 5_785, failed: 3, terminated: 0, unfinished: 12 },
    activities: { needed: 116_000, completed: 115_700, reExecuted: 3, source: "completions" },
    actions: 5_800 + 2 * 115_700,
    rpcErrors: { UNAVAILABLE: 12, DEADLINE_EXCEEDED: 2 },
  },
  throughput: throughputOf(),
  latencyMs: {
    response: crossing(RESPONSE),
    service: crossing(SERVICE),
    server: histogramOf(MEASURED, (one) => serviceOf(one) - 1).summary()!,
    detectionLag: { count: RESPONSE.count, mean: 3.1, p50: 2.9, p90: 5.2, p99: 7.9, max: 14.2, boundMs: BOUND_MS },
    startRpc: { count: 5_400, mean: 2.2, p50: 2.2, p90: 2.5, p99: 2.6, max: 12.4 },
    slip: { count: 5_400, mean: 0.11, p50: 0.09, p90: 0.21, p99: 0.62, max: 1.9 },
  },
  phases: [
    phaseOf({ name: "warm-up", fromMs: 0, lengthMs: 10 * SECOND, offeredPerSecond: 40 }),
    phaseOf({ name: "40/s", fromMs: 10 * SECOND, lengthMs: 45 * SECOND, offeredPerSecond: 40 }),
    phaseOf({ name: "40/s to 80/s", fromMs: 55 * SECOND, lengthMs: 60 * SECOND, offeredPerSecond: 60 }),
  ],
  series: Array.from({ length: 120 }, (_, second) => intervalOf(second)),
  stalls: [
    {
      ...STALL,
      inFlight: inFlightAt(STALL.fromMs + STALL.lengthMs),
      offeredPerSecond: 52,
      rpcErrors: { UNAVAILABLE: 12 },
    },
  ],
  generator: {
    heldBack: 0,
    slipMs: { count: 5_400, mean: 0.11, p50: 0.09, p90: 0.21, p99: 0.62, max: 1.9 },
    eventLoopDelayMs: { count: 11_800, mean: 0.4, p50: 0.3, p90: 1.1, p99: 2.8, p999: 6.1, max: 9.3 },
    clockJumpMs: 0.3,
    cpu: { machine: 0.93, generator: 0.21 },
  },
  clock: { offsetMs: -1.2, boundMs: BOUND_MS, driftMs: -0.05 },
  noticing: { WaitForInstanceCompletion: 5_800, ListInstanceIds: 24 },
  recount: {
    instances: 5_800,
    byStatus: { Completed: 5_785, Failed: 3, Running: 12 },
    lost: { total: 0, first: [] },
    unexpected: { total: 0, first: [] },
  },
  histograms: { response: RESPONSE.encoded()!, service: SERVICE.encoded()! },
  failures: {
    total: 3,
    first: [1_000, 2_900, 4_800].map((k) => ({
      instanceId: idOf(k),
      type: "FanInError",
      message: "a result was lost",
    })),
  },
  stuck: {
    total: 12,
    first: Array.from({ length: 12 }, (_, k) => ({
      instanceId: idOf(5_788 + k),
      status: "Running",
      iterationsCompleted: k % 2,
    })),
  },
  thresholds: [
    { expression: "orchestrations/s>40", value: throughputOf().orchestrationsPerSecond, passed: true },
    { expression: "p99<500ms", value: RESPONSE.summary()!.p99!, passed: false },
  ],
};

function responseOf({ dueMs, endMs }: Orchestration): number {
  return endMs - dueMs;
}

function serviceOf({ acceptedMs, endMs }: Orchestration): number {
  return endMs - acceptedMs;
}

function histogramOf(
  orchestrations: readonly Orchestration[],
  durationOf: (one: Orchestration) => number,
): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const one of orchestrations) if (one.end === "completed") histogram.add(durationOf(one));
  return histogram;
}

function crossing(histogram: LatencyHistogram): CrossingSummary {
  return { ...histogram.summary()!, until: "completed", boundMs: BOUND_MS };
}

function between(fromMs: number, lengthMs: number): (ms: number) => boolean {
  return (ms) => ms >= fromMs && ms < fromMs + lengthMs;
}

function inFlightAt(ms: number): number {
  return ORCHESTRATIONS.filter(({ acceptedMs, endMs, end }) => acceptedMs < ms && (end === "unfinished" || endMs >= ms))
    .length;
}

function throughputOf(): NonNullable<RunResult["throughput"]> {
  const windowMs = LAST_DUE_MS - 10 * SECOND;
  const within = between(10 * SECOND, windowMs);
  const perSecond = COMPLETED.filter(({ endMs }) => within(endMs)).length / (windowMs / SECOND);
  return {
    windowMs,
    orchestrationsPerSecond: perSecond,
    activitiesPerSecond: perSecond * ACTIVITIES,
    actionsPerSecond: perSecond * (1 + 2 * ACTIVITIES),
  };
}

function phaseOf(part: Pick<Phase, "name" | "fromMs" | "lengthMs"> & { readonly offeredPerSecond: number }): Phase {
  const within = between(part.fromMs, part.lengthMs);
  const due = ORCHESTRATIONS.filter(({ dueMs }) => within(dueMs));
  return {
    ...part,
    started: due.length,
    completed: due.filter(({ end }) => end === "completed").length,
    completedPerSecond: COMPLETED.filter(({ endMs }) => within(endMs)).length / (part.lengthMs / SECOND),
    response: crossing(histogramOf(due, responseOf)),
    service: crossing(histogramOf(due, serviceOf)),
  };
}

function intervalOf(second: number): Interval {
  const fromMs = second * SECOND;
  const within = between(fromMs, SECOND);
  const due = ORCHESTRATIONS.filter(({ dueMs }) => within(dueMs));
  const completed = COMPLETED.filter(({ endMs }) => within(endMs)).length;
  const failed = ORCHESTRATIONS.filter(({ end, endMs }) => end === "failed" && within(endMs)).length;
  return {
    fromMs,
    lengthMs: SECOND,
    offered: due.length,
    started: due.length,
    completed,
    failed,
    activities: completed * ACTIVITIES,
    actions: due.length + 2 * completed * ACTIVITIES,
    inFlight: inFlightAt(fromMs + SECOND),
    ...(second === 73 && { rpcErrors: { UNAVAILABLE: 12 }, reconnects: 2 }),
    ...(second === 90 && { rpcErrors: { DEADLINE_EXCEEDED: 2 } }),
    ...latenciesOf(due),
  };
}

function latenciesOf(due: readonly Orchestration[]): Pick<Interval, "response" | "service"> {
  if (!due.some(({ end }) => end === "completed")) return {};
  return { response: intervalLatency(due, responseOf), service: intervalLatency(due, serviceOf) };
}

function intervalLatency(due: readonly Orchestration[], durationOf: (one: Orchestration) => number): IntervalLatency {
  const histogram = new SparseHistogram();
  for (const one of due) if (one.end === "completed") histogram.add(durationOf(one));
  const { count, maxMs } = histogram;
  const p50 = histogram.percentile(0.5);
  const p99 = histogram.percentile(0.99);
  return {
    count,
    ...(p50 !== undefined && { p50 }),
    ...(p99 !== undefined && { p99 }),
    max: maxMs,
    buckets: histogram.buckets(),
  };
}

function idOf(k: number): string {
  return `${RUN_ID}-${k.toString().padStart(5, "0")}`;
}
