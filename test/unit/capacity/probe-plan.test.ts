import { expect, test } from "vitest";
import { leastClosedLevel } from "../../../src/capacity/probe-plan.js";
import { parseThreshold } from "../../../src/stats/threshold.js";

test.each([
  // A p99 needs 1,000 samples and a margin, in two minutes: 9.1 orchestrations a second.
  ["service p99<5s", 10, 1],
  ["service p99<5s", 9, 3],
  // Of 500 ms each.
  ["service p99<5s", 2, 10],
  ["service p90<5s", 2, 1],
  ["service p90<5s", 0.5, 5],
  ["max<5s", 0.2, 1],
])("a closed search for %s, with %d a second while one is in flight, begins at %d", (objective, perSecond, level) => {
  expect(leastClosedLevel([parseThreshold(objective)], perSecond)).toBe(level);
});
