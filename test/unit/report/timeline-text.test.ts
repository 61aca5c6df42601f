import { Chalk } from "chalk";
import { describe, expect, test } from "vitest";
import { textWidth } from "../../../src/format/wrap.js";
import { timelineText } from "../../../src/report/timeline/timeline-text.js";
import { timelinesOf } from "../../../src/timeline/timeline.js";
import {
  answers,
  asksActivity,
  asksTimer,
  BEGIN_US,
  ended,
  episode,
  fails,
  fanOuts,
  started,
  toldInstance,
} from "../../support/timeline/told-history.js";

const colours = new Chalk({ level: 0 });
const textIn = (columns: number, instances: Parameters<typeof timelinesOf>[0]): string =>
  timelineText(timelinesOf(instances, BEGIN_US + 100_000), { colours, columns });

const order = toldInstance([
  [0, episode],
  [0, started],
  [0, asksActivity(1)],
  [20, episode],
  [20, fails(1)],
  [20, asksTimer(2)],
  [50, episode],
  [50, { kind: "signalled", signal: "event", name: "approved\u001B[2J" }],
  [60, episode],
  [60, answers(2, "timer")],
  [60, asksActivity(3)],
  [60, { kind: "asked", id: 4, what: "child", instanceId: "child", name: "Ship" }],
  [100, episode],
  [80, answers(3)],
  [90, answers(4, "child")],
  [100, ended],
]);
const child = toldInstance([], {
  instanceId: "child",
  parentInstanceId: "order-17",
  depth: 1,
  createdUs: BEGIN_US + 60_000,
  history: [
    { kind: "execution-started", atUs: BEGIN_US + 60_000 },
    { kind: "asked", id: 1, what: "activity", name: "Pack", atUs: BEGIN_US + 60_000 },
    { kind: "answered", id: 1, what: "activity", failed: false, atUs: BEGIN_US + 90_000 },
    { kind: "ended", atUs: BEGIN_US + 90_000, status: "Completed" },
  ],
});

describe("the text of a timeline", () => {
  test("draws each thing at its time, sub-orchestrations indented, and what failed in words", () => {
    expect(textIn(60, [order, child]).split("\n")).toEqual([
      "order-17  Completed, took 100 ms",
      "    created 2030-01-01 00:00:00Z",
      "Order: 2 activities, 1 sub-orchestration, 1 timer,",
      "1 external event, 5 episodes, 16 history events, 1 failed,",
      "1 retried",
      "                  0                50 ms       100 ms",
      "0  Charge         ▓▓▓▓▓▓✕                              20 ms",
      "   timer                 ··············                40 ms",
      "0  Charge, try 2                       ▓▓▓▓▓▓▓         20 ms",
      "1  Ship                                ═══════════     30 ms",
      "0    Pack                              ▓▓▓▓▓▓▓▓▓▓▓     30 ms",
      "   approved                        ◆",
      "▓ asked for until answered  · timer  ═ sub-orchestration",
      "    ◆ from outside  ✕ failed",
      "Charge failed with CardError: declined",
    ]);
  });

  test.each([[60], [80], [120]])("fits %i columns, with thousands of activities folded and counted", (columns) => {
    const text = textIn(columns, [fanOuts(400, 25)]);
    const lines = text.split("\n");
    expect(lines.filter((line) => textWidth(line) > columns)).toEqual([]);
    expect(lines.length).toBeLessThan(45);
    expect(text.replaceAll("\n", " ")).toMatch(/rows fold 10,000 activities; 10 ms each on average, at most 10 ms/u);
  });

  test("is of text alone: what a backend says moves no cursor", () => {
    expect(textIn(80, [order])).not.toContain("\u001B");
  });
});
