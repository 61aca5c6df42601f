import type { LiveInterval, LiveUpdate } from "../../../src/live/live-update.js";

const SECONDS = 40;

/** A run of open load after 40 of its 60 seconds, with a stall. */
export const sampleUpdate: LiveUpdate = {
  run: {
    runId: "r0123456789ab",
    planLine: "open load, 50/s for 1m: 3,000 orchestrations x 2 iterations x 10 activities = 60,000 activities",
    load: "open",
    labels: { branch: "main" },
    warmupMs: 5_000,
    number: 1,
    of: 1,
  },
  phase: { kind: "running" },
  snapshot: {
    elapsedMs: SECONDS * 1_000 + 120,
    lengthMs: 60_000,
    orchestrations: { total: 3_000, started: 2_006, ended: 1_990 },
    activities: { total: 60_000, completed: 39_800, perIteration: 10 },
    responseMs: { count: 1_740, mean: 236, p50: 221, p90: 340, p95: 410, p99: 2_140, max: 2_320 },
    serviceMs: { count: 1_740, mean: 231, p50: 219, p90: 332, p95: 402, p99: 2_130, max: 2_310 },
    own: {
      completed: 1_988,
      failed: 2,
      terminated: 0,
      inFlight: 16,
      heldBack: 0,
      rpcErrors: { UNAVAILABLE: 3 },
      stall: undefined,
    },
  },
  series: { widthMs: 1_000, intervals: Array.from({ length: SECONDS }, (_, index) => intervalOf(index)) },
  stalls: [{ fromMs: 22_300, lengthMs: 2_040, inFlight: 118, offeredPerSecond: 50, rpcErrors: { UNAVAILABLE: 3 } }],
  thresholds: [
    { expression: "p95<500ms", state: "holds", found: "410 ms" },
    { expression: "p99<1s", state: "missed", found: "2.14 s" },
    { expression: "activities/s>900", state: "open", reason: "throughput is known from the end of the warm-up on" },
  ],
  verdict: { status: "valid", reasons: [] },
};

function intervalOf(index: number): LiveInterval {
  const completed = index === 0 ? 36 : index === 22 ? 17 : index === 23 ? 0 : index === 24 ? 133 : 50;
  const slowMs = index >= 20 && index <= 24 ? 2_000 - (index - 20) * 300 : 0;
  const p50 = 210 + ((index * 37) % 40) + slowMs / 2;
  return {
    index,
    offered: 50,
    started: 50,
    completed,
    failed: index === 30 ? 2 : 0,
    activities: completed * 20,
    p50,
    max: p50 + 150 + slowMs / 2,
  };
}

/** The same with this text wherever a text may be that others choose. */
export function updateSaying(text: string): LiveUpdate {
  return {
    ...sampleUpdate,
    run: { ...sampleUpdate.run, runId: text, planLine: text, labels: { [text]: text } },
    phase: { kind: "ending", why: text },
    snapshot: { ...sampleUpdate.snapshot, own: { ...sampleUpdate.snapshot.own!, rpcErrors: { [text]: 1 } } },
    lines: [text],
    thresholds: [{ expression: text, state: "open", found: text, reason: text }],
    verdict: { status: "invalid", reasons: [{ severity: "invalid", name: "slip", text, advice: text }] },
  };
}
