import { expect, test } from "vitest";
import { FAULT_KINDS, planOf } from "./plan.js";
import { HUBS, type Hub } from "./scripts.js";
import { SHORT_SEEDS } from "./short-seeds.js";

const OPTIONS = { folder: "/tmp/of-the-seed", silenceMs: 900 };

test("a seed is the same plan each time", () => {
  expect(planOf(7, OPTIONS)).toEqual(planOf(7, OPTIONS));
  expect(planOf(8, OPTIONS)).not.toEqual(planOf(7, OPTIONS));
});

test("faults come in the order of their moments", () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const parts = planOf(seed, OPTIONS).faults.map(({ atPart }) => atPart);
    expect(parts).toEqual(parts.toSorted((a, b) => a - b));
  }
});

test("each seed has scripts on every hub, equal ids on two of them, and each id once on a hub", () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const { scripts } = planOf(seed, OPTIONS);
    const ids = (wanted: Hub): string[] =>
      scripts.filter(({ hub }) => hub === wanted).map(({ instanceId }) => instanceId);
    expect(ids("default")).toEqual(expect.arrayContaining(ids("second")));
    for (const hub of HUBS) {
      expect(ids(hub).length).toBeGreaterThan(0);
      expect(new Set(ids(hub)).size).toBe(ids(hub).length);
    }
  }
});

test("the seeds of every test run have each kind of fault and of worker between them", () => {
  const plans = SHORT_SEEDS.map((seed) => planOf(seed, OPTIONS));
  expect(new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)))).toEqual(new Set(FAULT_KINDS));
  expect(new Set(plans.flatMap(({ workers }) => workers))).toEqual(
    new Set(["link", "http2", "grpc-js", "sdk", "filtered"]),
  );
});
