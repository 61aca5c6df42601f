import { describe, expect, test } from "vitest";
import type { Timeline } from "../../../src/result/timeline-schema.js";
import type { InstanceHistory } from "../../../src/timeline/instance-history.js";
import { timelinesOf } from "../../../src/timeline/timeline.js";
import {
  answers,
  asksActivity,
  asksTimer,
  BEGIN_US,
  ended,
  episode,
  fails,
  started,
  toldInstance,
} from "../../support/timeline/told-history.js";

function timelineOf(instance: InstanceHistory, nowMs = 0): Timeline {
  return timelinesOf([instance], BEGIN_US + nowMs * 1_000)[0]!;
}

describe("the timeline of a history", () => {
  test("has what was asked for with its iteration, and a repeated activity as another attempt", () => {
    const { spans, ...rest } = timelineOf(
      toldInstance([
        [1, episode],
        [0, started],
        [2, asksActivity(1)],
        [2, asksActivity(2, "Ship")],
        [30, episode],
        [20, fails(1)],
        [21, answers(2)],
        [31, asksTimer(3)],
        [80, episode],
        [79, answers(3, "timer")],
        [81, asksActivity(4)],
        [120, episode],
        [110, answers(4)],
        [121, asksActivity(5)],
        [140, episode],
        [139, answers(5)],
        [150, ended],
      ]),
    );
    expect(spans).toEqual([
      {
        kind: "activity",
        name: "Charge",
        iteration: 0,
        outcome: "failed",
        fromMs: 2,
        toMs: 20,
        failure: { type: "CardError", message: "declined" },
      },
      { kind: "activity", name: "Ship", iteration: 0, outcome: "completed", fromMs: 2, toMs: 21 },
      { kind: "timer", outcome: "completed", fromMs: 31, toMs: 79 },
      { kind: "activity", name: "Charge", iteration: 0, attempt: 2, outcome: "completed", fromMs: 81, toMs: 110 },
      { kind: "activity", name: "Charge", iteration: 1, outcome: "completed", fromMs: 121, toMs: 139 },
    ]);
    expect(rest).toEqual({
      instanceId: "order-17",
      depth: 0,
      name: "Order",
      status: "Completed",
      startedAt: "2030-01-01T00:00:00.000000Z",
      startMs: 0,
      durationMs: 150,
      ended: true,
      events: 17,
      episodes: 5,
      marks: [],
    });
  });

  test("of a running one lasts until now, or until what happened last if this clock is behind", () => {
    const running = toldInstance([
      [1, episode],
      [0, started],
      [2, asksActivity(1)],
    ]);
    expect(timelineOf(running, 50)).toMatchObject({
      ended: false,
      status: "Running",
      durationMs: 50,
      spans: [{ outcome: "open", fromMs: 2, toMs: 50 }],
    });
    expect(timelineOf(running, -5_000)).toMatchObject({ durationMs: 2, spans: [{ fromMs: 2, toMs: 2 }] });
  });

  test("has what came from outside, and a suspension until it was resumed", () => {
    const { marks, spans, status } = timelineOf(
      toldInstance(
        [
          [1, episode],
          [0, started],
          [10, { kind: "signalled", signal: "suspended" }],
          [30, { kind: "signalled", signal: "event", name: "approved" }],
          [40, { kind: "signalled", signal: "resumed" }],
          [45, { kind: "signalled", signal: "suspended" }],
        ],
        { status: "Suspended" },
      ),
      60,
    );
    expect(status).toBe("Suspended");
    expect(marks.map(({ kind, name, atMs }) => [kind, name, atMs])).toEqual([
      ["suspended", undefined, 10],
      ["event", "approved", 30],
      ["resumed", undefined, 40],
      ["suspended", undefined, 45],
    ]);
    expect(spans).toEqual([
      { kind: "suspended", outcome: "completed", fromMs: 10, toMs: 40 },
      { kind: "suspended", outcome: "open", fromMs: 45, toMs: 60 },
    ]);
  });

  test("begins with the executions before a continue-as-new, and says what ended it", () => {
    const failure = { type: "Error", message: "no stock" };
    const continued = toldInstance([
      [500, episode],
      [400, started],
      [510, { kind: "ended", status: "Failed", failure }],
    ]);
    expect(timelineOf(continued)).toMatchObject({
      status: "Failed",
      durationMs: 510,
      failure,
      spans: [{ kind: "earlierExecutions", fromMs: 0, toMs: 400 }],
    });
  });

  test("shows stamps by the backend's clock, within the bound of the worker's", () => {
    // The worker's clock is 5 s ahead.
    const stamps = { startedUs: BEGIN_US + 5_020_000, finishedUs: BEGIN_US + 5_090_000, workerId: "w" };
    const answer = { kind: "answered", id: 1, what: "activity", failed: false, stamps } as const;
    const { spans } = timelineOf(
      toldInstance([
        [1, episode],
        [0, started],
        [2, asksActivity(1)],
        [100, episode],
        [99, answer],
        [101, ended],
      ]),
    );
    const [{ startedMs = 0, finishedMs = 0, clockBoundMs = 0, workerId } = {}] = spans;
    expect(workerId).toBe("w");
    expect(Math.abs(startedMs - 20)).toBeLessThanOrEqual(clockBoundMs);
    expect(Math.abs(finishedMs - 90)).toBeLessThanOrEqual(clockBoundMs);
    expect(finishedMs - startedMs).toBeCloseTo(70, 1);
  });

  test("places a sub-orchestration by its own creation", () => {
    const parent = toldInstance([
      [1, episode],
      [0, started],
      [2, { kind: "asked", id: 1, what: "child", instanceId: "child", name: "Ship" }],
    ]);
    const child = toldInstance([[0, started]], {
      instanceId: "child",
      parentInstanceId: "order-17",
      depth: 1,
      createdUs: BEGIN_US + 3_000,
      history: [{ kind: "execution-started", atUs: BEGIN_US + 3_000 }],
    });
    const [first, second] = timelinesOf([parent, child], BEGIN_US + 9_000);
    expect(first).toMatchObject({ spans: [{ kind: "subOrchestration", name: "Ship", instanceId: "child" }] });
    expect(second).toMatchObject({ parentInstanceId: "order-17", depth: 1, startMs: 3, durationMs: 6 });
  });
});
