import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { TimelineSpan } from "../../../src/result/timeline-schema.js";
import { countOf, foldedSpans } from "../../../src/timeline/fold.js";
import { timelinesOf } from "../../../src/timeline/timeline.js";
import { fanOuts } from "../../support/timeline/told-history.js";

const span: fc.Arbitrary<TimelineSpan> = fc.record({
  kind: fc.constantFrom("activity", "subOrchestration"),
  name: fc.constantFrom("A", "B"),
  iteration: fc.nat(20),
  outcome: fc.constantFrom("completed", "failed", "open"),
  fromMs: fc.nat(1_000),
  toMs: fc.integer({ min: 1_000, max: 2_000 }),
});

const { spans } = timelinesOf([fanOuts(50, 4)], 0)[0]!;

test("spans that fit stay as they are; else those of an iteration become one, with their figures", () => {
  expect(foldedSpans(spans, 200)).toBe(spans);
  const folded = foldedSpans(spans, 60);
  expect(folded).toHaveLength(50);
  expect(folded[7]).toMatchObject({
    kind: "activity",
    name: "Charge",
    iteration: 7,
    folded: { activities: 4, failed: 0, meanMs: 10, maxMs: 10, fromIteration: 7, toIteration: 7 },
  });
});

test("the failed and the longest keep a row, what lies between becomes one", () => {
  const slow = spans.map((each, index) => (index === 81 ? { ...each, toMs: each.toMs + 500 } : each));
  const failed = slow.map((each, index) => (index === 120 ? { ...each, outcome: "failed" as const } : each));
  const rows = foldedSpans(failed, 9);
  expect(rows.map(({ folded }) => [folded?.fromIteration, folded?.toIteration])).toEqual([
    [0, 0],
    [1, 19],
    [20, 20],
    [21, 29],
    [30, 30],
    [31, 48],
    [49, 49],
  ]);
});

test("however often it is folded, no more rows than fit tell of every span, with the same mean and longest", () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (all, most) => {
      const once = foldedSpans(all, most);
      const one = foldedSpans(once, 1)[0]!;
      expect(once.length).toBeLessThanOrEqual(most);
      expect(once.reduce((sum, row) => sum + countOf(row), 0)).toBe(all.length);
      expect(countOf(one)).toBe(all.length);
      if (all.length === 1) return;
      const activities = all.filter(({ kind }) => kind === "activity");
      const measured = (activities.length > 0 ? activities : all).map(({ fromMs, toMs }) => toMs - fromMs);
      expect(one.folded?.maxMs).toBe(Math.max(...measured));
      expect(one.folded?.meanMs).toBeCloseTo(measured.reduce((sum, ms) => sum + ms, 0) / measured.length, 6);
      expect(one.folded?.failed).toBe(all.filter(({ outcome }) => outcome === "failed").length);
    }),
  );
});
