import { expect, test } from "vitest";
import { probeLengthMs } from "../../../src/capacity/probe-length.js";
import { parseThreshold } from "../../../src/stats/threshold.js";

test.each([
  // Ten samples behind a percentile with a margin, and nine parts of a second for a backlog.
  ["p99<2s", 1_000, 1, 10_000],
  ["p99<2s", 50, 1, 22_000],
  ["p99.9<2s", 500, 1, 21_000],
  ["service p90<2s", 2, 1, 65_000],
  ["max<2s", 100, 1, 10_000],
  // The rule of three.
  ["errors<0.1%", 100, 1, 32_000],
  // A backlog that grows by 5 % of the rate has to stand out from random arrivals, within a minute.
  ["p90<2s", 1_000, 0.05, 11_000],
  ["p90<2s", 400, 0.05, 27_000],
  ["p90<2s", 100, 0.05, 60_000],
  // Or a growing delay has to break the objective, three times over.
  ["p90<300ms", 100, 0.05, 20_000],
])("a probe of %s at %d/s that tells %d apart takes %d ms", (objective, perSecond, resolution, lengthMs) => {
  expect(probeLengthMs([parseThreshold(objective)], perSecond, resolution)).toBe(lengthMs);
});
