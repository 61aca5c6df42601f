import { expect, test } from "vitest";
import type { SoakInterval } from "../../../src/result/soak-schema.js";
import { LEAST_LEARNED } from "../../../src/soak/change-alarm.js";
import { SeriesAlarms, type SeriesChange } from "../../../src/soak/series-alarms.js";

const EVERY_MS = 10_000;
const BEGAN_MS = Date.parse("2030-01-02T03:00:00Z");

type Measured = Partial<Pick<SoakInterval, "completed" | "p50" | "p90" | "workers">>;

/** Adds as many intervals of each kind as it says. */
function changesOf(parts: readonly (readonly [count: number, measured: Measured])[]): readonly SeriesChange[] {
  const alarms = new SeriesAlarms(LEAST_LEARNED);
  let number = 0;
  return parts.flatMap(([count, measured]) =>
    Array.from({ length: count }, () => {
      number += 1;
      return alarms.add({
        leg: 1,
        endedAt: new Date(BEGAN_MS + number * EVERY_MS).toISOString(),
        elapsedMs: number * EVERY_MS,
        lengthMs: EVERY_MS,
        started: 0,
        completed: 0,
        failed: 0,
        inFlight: 0,
        rpcErrors: {},
        ...measured,
      });
    }).flat(),
  );
}

const USUAL = { completed: 200, p50: 50, p90: 100, workers: 3 };

test("a collapse tells its series, since when, and what is usual", () => {
  const changes = changesOf([
    [30, USUAL],
    [10, { ...USUAL, completed: 0 }],
  ]);
  expect(changes).toEqual([
    {
      kind: "changed",
      series: "throughput",
      usualUntil: "2030-01-02T03:05:00.000Z",
      at: "2030-01-02T03:05:40.000Z",
      usual: 20,
      found: 0,
    },
  ]);
});

test("latencies are told in milliseconds, and workers as a number", () => {
  const changes = changesOf([
    [30, USUAL],
    [10, { ...USUAL, p50: 500, p90: 1_000, workers: 0 }],
  ]);
  expect(changes.map((change) => [change.series, change.kind === "changed" && Math.round(change.found)])).toEqual([
    ["latency p50", 500],
    ["latency p90", 1_000],
    ["workers", 0],
  ]);
});

test("what a backend does not tell is not judged", () => {
  expect(
    changesOf([
      [30, { completed: 200 }],
      [10, { completed: 200 }],
    ]),
  ).toEqual([]);
});

test("a load whose first orchestrations take long is learned from their end on", () => {
  const changes = changesOf([
    [50, { completed: 0, workers: 3 }],
    [30, USUAL],
    [10, { ...USUAL, completed: 0 }],
  ]);
  expect(changes.map(({ series }) => series)).toEqual(["throughput"]);
});
