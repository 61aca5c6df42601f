import { expect, test } from "vitest";
import { headlineOf } from "../../../src/live/headline.js";
import type { LiveUpdate } from "../../../src/live/live-update.js";
import { SeriesChanges } from "../../../src/live/series-changes.js";
import { RunFeed } from "../../../src/live/run-feed.js";
import { Series } from "../../../src/stats/series.js";
import { parseThreshold } from "../../../src/stats/threshold.js";
import { sampleUpdate } from "../../support/live/sample-update.js";
import { openLoadResult } from "../../support/report/open-load-result.js";

const KIND = { latency: "response", credited: 2 } as const;

test("only the intervals that have changed are told, and all again when their width doubles", () => {
  const series = new Series(4);
  const changes = new SeriesChanges();
  for (const dueMs of [100, 1_100, 1_200]) series.addOffered(dueMs);
  series.addNoticed(1_300);
  const first = changes.next(series.soFar, KIND);
  expect(first.intervals).toMatchObject([
    { index: 0, offered: 1, completed: 0, activities: 0 },
    { index: 1, offered: 2, completed: 1, activities: 2 },
  ]);
  expect(changes.next(series.soFar, KIND).intervals).toEqual([]);
  // A late end changes the interval in which its start was due.
  series.addLatency("response", "noticed", 100, 3_000);
  expect(changes.next(series.soFar, KIND).intervals).toMatchObject([{ index: 0, max: 3_000 }]);
  series.addOffered(4_500);
  expect(changes.next(series.soFar, KIND)).toMatchObject({
    widthMs: 2_000,
    intervals: [{ index: 0, offered: 3 }, { index: 1, offered: 0 }, { index: 2 }],
  });
});

test("thresholds are told as they stand, and what is in flight has not failed yet", () => {
  const { orchestrations } = openLoadResult.counts;
  const running = { ...orchestrations, completed: 1_000, failed: 0, unfinished: orchestrations.started - 1_000 };
  const { verdict: _verdict, ...rest } = openLoadResult;
  const standing = { ...rest, counts: { ...rest.counts, orchestrations: running } };
  const expressions = ["p50<1m", "p50<1ms", "errors<1%"];
  const feed = new RunFeed({
    run: sampleUpdate.run,
    watched: {
      snapshot: () => sampleUpdate.snapshot,
      standing: () => standing,
      stallsSoFar: () => [],
    },
    thresholds: expressions.map((text) => parseThreshold(text)),
    changes: () => ({ widthMs: 1_000, intervals: [] }),
  });
  const states = feed.update({ kind: "running" }).thresholds.map(({ state }) => state);
  expect(states).toEqual(["holds", "missed-for-good", "holds"]);
});

test("a threshold is open while nobody knows how the run stands, and says why once it has begun", () => {
  const snapshot = { ...sampleUpdate.snapshot, orchestrations: { total: 9, started: 0, ended: 0 } };
  const watched = {
    snapshot: () => snapshot,
    standing: () => undefined,
    unjudged: () => "generator 2 died with its figures",
    stallsSoFar: () => [],
  };
  const feedOf = (of: typeof watched): RunFeed =>
    new RunFeed({
      run: sampleUpdate.run,
      watched: of,
      thresholds: [parseThreshold("p50<1m")],
      changes: () => ({ widthMs: 1_000, intervals: [] }),
    });
  expect(feedOf(watched).update({ kind: "running" }).thresholds).toEqual([{ expression: "p50<1m", state: "open" }]);
  const begun = { ...watched, snapshot: () => sampleUpdate.snapshot };
  expect(feedOf(begun).update({ kind: "running" }).thresholds).toEqual([
    { expression: "p50<1m", state: "open", reason: "generator 2 died with its figures" },
  ]);
});

const HEADLINES: readonly (readonly [Partial<LiveUpdate>, string])[] = [
  [{ phase: { kind: "failed", why: "x" } }, "The run failed"],
  [{ phase: { kind: "ending", why: "x" } }, "The run is being ended"],
  [{ phase: { kind: "waiting" } }, "Waiting for the first start"],
  [
    {
      snapshot: { ...sampleUpdate.snapshot, outage: { fromMs: 0, lengthMs: 3_000, open: true, found: "UNAVAILABLE" } },
    },
    "The backend is away",
  ],
  [{ stalls: [{ ...sampleUpdate.stalls[0]!, open: true }] }, "Stalled: nothing completes"],
  [{}, "Does not hold so far: 1 threshold missed"],
  [
    { thresholds: [{ expression: "p50<1s", state: "holds" }], verdict: { status: "invalid", reasons: [] } },
    "Invalid so far: the load generator is not healthy",
  ],
  [{ thresholds: [] }, "Orchestrations fail"],
];

test.each(HEADLINES)("%o is answered by %s", (part, text) => {
  expect(headlineOf({ ...sampleUpdate, ...part }).text).toBe(text);
});

test("a run in which nothing fails holds as far as it is judged", () => {
  const { snapshot } = sampleUpdate;
  const sound = { ...sampleUpdate, snapshot: { ...snapshot, own: { ...snapshot.own!, failed: 0 } } };
  const holds = { expression: "p50<1s", state: "holds" } as const;
  const open = { expression: "errors<1%", state: "open" } as const;
  expect(headlineOf({ ...sound, thresholds: [holds] })).toMatchObject({ tone: "good", text: "Holds so far" });
  expect(headlineOf({ ...sound, thresholds: [holds, open] }).text).toBe("Holds so far, as far as it can be judged");
  expect(headlineOf({ ...sound, thresholds: [open] }).text).toBe("Running");
});
