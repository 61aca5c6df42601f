import { describe, expect, test } from "vitest";
import { criticalPath, type History } from "../../../src/breakdown/critical-path.js";
import type { HistoryMoment } from "../../../src/protocol/history-moments.js";

/** `120 orchestrator-started`, `130 asked 1 activity`, `150 failed 1 activity`: an event a line. */
function history(text: string): History {
  return text
    .trim()
    .split("\n")
    .map((line): HistoryMoment => {
      const [at = "", kind = "", id = "", what = "", instanceId] = line.trim().split(" ");
      const atUs = Number(at);
      const of = { atUs, id: Number(id), what: what as "activity" };
      if (kind === "asked") return { kind, ...of, ...(instanceId !== undefined && { instanceId }) };
      if (kind === "answered" || kind === "failed") return { kind: "answered", ...of, failed: kind === "failed" };
      return { kind: kind as "signalled", atUs };
    });
}

/** `firstDispatch 20, schedule 10`. */
function pathOf(text: string, options: Parameters<typeof criticalPath>[1] = {}): string {
  return criticalPath(history(text), options)
    .map((part) => `${part.kind === "phase" ? part.phase : "activity"} ${part.toUs - part.fromUs}`)
    .join(", ");
}

const FAN_OUT = `
  100 orchestrator-started
  90 execution-started
  110 asked 1 activity
  110 asked 2 activity
  150 orchestrator-started
  140 answered 1 activity
  200 orchestrator-started
  180 answered 2 activity
  210 ended`;

describe("a critical path", () => {
  test.each([
    [
      "of a fan-out goes by the last result, over episodes that waited on",
      FAN_OUT,
      "firstDispatch 10, schedule 10, activity 70, fanIn 20, finish 10",
    ],
    [
      "goes over a failed activity and the timer of its retry",
      `0 orchestrator-started
       0 execution-started
       5 asked 1 activity
       30 orchestrator-started
       20 failed 1 activity
       31 asked 2 timer
       140 orchestrator-started
       131 answered 2 timer
       141 asked 3 activity
       170 orchestrator-started
       160 answered 3 activity
       171 ended`,
      "firstDispatch 0, schedule 5, activity 15, fanIn 10, schedule 1, timer 100, fanIn 9, schedule 1, activity 19, fanIn 10, finish 1",
    ],
    [
      "waits for an event from outside since the episode before it",
      `10 orchestrator-started
       0 execution-started
       90 orchestrator-started
       70 signalled
       95 ended`,
      "firstDispatch 10, signal 60, fanIn 20, finish 5",
    ],
    [
      "takes a moment that contradicts its predecessor for the same moment",
      `100 orchestrator-started
       90 execution-started
       80 asked 1 activity
       200 orchestrator-started
       220 answered 1 activity
       210 ended`,
      "firstDispatch 10, schedule 0, activity 110, fanIn 0, finish 0",
    ],
    ["of one that never began", "50 execution-started\n70 ended", "open 20"],
    [
      "ends with what is known of one that has not ended",
      FAN_OUT.replace("210 ended", ""),
      "firstDispatch 10, schedule 10, activity 70, fanIn 20, open 0",
    ],
  ])("%s", (_what, text, path) => {
    expect(pathOf(text)).toBe(path);
  });

  test("of one that was cut off ends when it was", () => {
    expect(pathOf(FAN_OUT, { untilUs: 1_000 })).toBe("firstDispatch 10, schedule 10, activity 70, fanIn 20, open 800");
  });

  test("goes through a sub-orchestration, or over it where its history is not known", () => {
    const parent = `
      10 orchestrator-started
      0 execution-started
      15 asked 1 child c
      300 orchestrator-started
      250 answered 1 child
      305 ended`;
    const child = history(FAN_OUT);
    expect(pathOf(parent, { children: new Map([["c", child]]) })).toBe(
      "firstDispatch 10, schedule 5, subOrchestration 75, firstDispatch 10, schedule 10, activity 70, fanIn 20, finish 10, subOrchestration 40, fanIn 50, finish 5",
    );
    expect(pathOf(parent)).toBe("firstDispatch 10, schedule 5, subOrchestration 235, fanIn 50, finish 5");
  });

  test("is empty where the history has no start", () => {
    expect(criticalPath([])).toEqual([]);
  });
});
