import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { readBreakdown, type BreakdownOptions } from "../../../src/load/read-breakdown.js";
import type { HistoryMoment } from "../../../src/protocol/history-moments.js";
import { completedState, fakeClient, untilAborted } from "../../support/load/fake-backend.js";

const HISTORY: readonly HistoryMoment[] = [
  { kind: "orchestrator-started", atUs: 2_000_100 },
  { kind: "execution-started", atUs: 2_000_050 },
  { kind: "asked", atUs: 2_000_200, id: 1, what: "child", instanceId: "child" },
  { kind: "orchestrator-started", atUs: 2_005_000 },
  { kind: "answered", atUs: 2_004_000, id: 1, what: "child", failed: false },
  { kind: "ended", atUs: 2_006_000 },
];
const CHILD: readonly HistoryMoment[] = [
  { kind: "orchestrator-started", atUs: 2_001_000 },
  { kind: "execution-started", atUs: 2_000_300 },
  { kind: "ended", atUs: 2_003_000 },
];

function optionsFor(momentsOf: BreakdownOptions["client"]["momentsOf"], count = 3): BreakdownOptions {
  const starts = Array.from({ length: count }, (_, sequence) => {
    const instanceId = `r-00000-${sequence}`;
    const start = { instanceId, sequence, intendedMs: 1_999, sentMs: 2_000, acceptedMs: 2_001, heldBack: false };
    const server = { createdMs: 2_000.05, completedMs: 2_006 };
    return {
      start,
      completion: { start, noticedMs: 2_008, outcome: "completed" as const, server, failure: undefined },
    };
  });
  const interruption = new AbortController().signal;
  return { client: fakeClient({ momentsOf }), starts, plan: {}, endedMs: 3_000, interruption, onLine: () => {} };
}

const found: BreakdownOptions["client"]["momentsOf"] = (instanceId, { onChunk } = {}) => {
  const history = instanceId === "child" ? CHILD : HISTORY;
  onChunk?.({ bytes: 100, moments: history.length });
  return Promise.resolve(history);
};

describe("reading where the time went", () => {
  test("reads the histories of the sample and of their sub-orchestrations", async () => {
    const { breakdown } = await readBreakdown(optionsFor(found));
    expect(breakdown).toMatchObject({ orchestrations: { traced: 3, completed: 3 }, wholeMs: 9 });
    expect(breakdown).not.toHaveProperty("missing");
    expect(breakdown?.phases).toMatchObject({ subOrchestration: { meanMs: 1.1 }, fanIn: { meanMs: 1 } });
  });

  test("keeps the timelines of the median and the slowest, with their sub-orchestrations", async () => {
    const { breakdown } = await readBreakdown(optionsFor(found));
    expect(breakdown?.examples).toMatchObject([
      { rank: "median", timelines: [{ instanceId: "r-00000-1" }, { instanceId: "child" }] },
      {
        rank: "slowest",
        timelines: [
          { instanceId: "r-00000-2", durationMs: 5.95, spans: [{ kind: "subOrchestration", instanceId: "child" }] },
          { instanceId: "child", parentInstanceId: "r-00000-2", depth: 1, startMs: 0.25, durationMs: 2.7 },
        ],
      },
    ]);
  });

  test("asks for the creation of one that had not ended", async () => {
    const { starts, ...options } = optionsFor(found, 2);
    const client = fakeClient({
      momentsOf: (instanceId, how) =>
        instanceId === starts[1]!.start.instanceId ? Promise.resolve(HISTORY.slice(0, 3)) : found(instanceId, how),
      getInstance: (instanceId) => Promise.resolve({ ...completedState(instanceId, 1), createdMs: 2_000.05 }),
    });
    const { breakdown } = await readBreakdown({
      ...options,
      client,
      starts: [starts[0]!, { start: starts[1]!.start }],
    });
    expect(breakdown).toMatchObject({ orchestrations: { completed: 1, unfinished: 1 } });
    expect(breakdown?.phases?.open?.meanMs).toBeGreaterThan(400);
  });

  test("of no instance is nothing", async () => {
    expect(await readBreakdown(optionsFor(found, 0))).toEqual({});
  });

  test.each<[string, BreakdownOptions["client"]["momentsOf"], Partial<BreakdownOptions>, string]>([
    [
      "a backend without the call",
      () =>
        Promise.reject(
          Object.assign(new Error("12 UNIMPLEMENTED"), { code: status.UNIMPLEMENTED, details: "", metadata: {} }),
        ),
      {},
      "the backend has no StreamInstanceHistory (UNIMPLEMENTED)",
    ],
    ["its errors", () => Promise.reject(new Error("the disk is gone")), {}, "the disk is gone"],
    ["too many events", found, { mostEvents: 20 }, "they have more than 20 events together"],
    [
      "a backend that does not answer",
      (_, { signal } = {}) => untilAborted(signal),
      { patienceMs: 5 },
      "it took longer than 5 ms",
    ],
    [
      "an interruption",
      (_, { signal } = {}) => untilAborted(signal),
      { interruption: AbortSignal.abort(), patienceMs: 5 },
      "5 ms",
    ],
  ])("ends with %s, and says so", async (_what, momentsOf, options, missing) => {
    const { breakdown } = await readBreakdown({ ...optionsFor(momentsOf, 30), ...options });
    expect(breakdown?.missing).toContain(missing);
  });
});
