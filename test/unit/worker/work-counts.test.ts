import { expect, test } from "vitest";
import { WorkCounts } from "../../../src/worker/work-counts.js";

test.each([
  { milliseconds: 0, boundSeconds: 0.0005 },
  { milliseconds: 1, boundSeconds: 0.001 },
  { milliseconds: 1.001, boundSeconds: 0.0025 },
  { milliseconds: 300_000, boundSeconds: 300 },
  { milliseconds: 300_001, boundSeconds: undefined },
])("$milliseconds ms are counted up to $boundSeconds s", ({ milliseconds, boundSeconds }) => {
  const { activity, orchestrator } = new WorkCounts().execution;
  activity.add(milliseconds);
  expect(activity.counts.indexOf(1)).toBe(
    boundSeconds === undefined ? activity.boundsSeconds.length : activity.boundsSeconds.indexOf(boundSeconds),
  );
  expect(activity.sumSeconds).toBeCloseTo(milliseconds / 1_000, 9);
  expect(Math.max(...orchestrator.counts)).toBe(0);
});
