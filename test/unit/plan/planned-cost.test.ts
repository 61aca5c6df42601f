import * as fc from "fast-check";
import { expect, test } from "vitest";
import { arrivalCount, arrivals } from "../../../src/plan/arrivals.js";
import { parsePlan, type LoadPlan } from "../../../src/plan/plan.js";
import { plannedCostOf } from "../../../src/plan/planned-cost.js";
import { guardSpend } from "../../../src/plan/spend-guard.js";

function random(flags: Readonly<Record<string, string>>): LoadPlan {
  const small = { iterations: "1", parallelActivities: "1", workers: "auto", timeout: "10m" };
  return parsePlan({ ...small, arrival: "poisson", ...flags });
}

test("random arrivals cost what their seed draws, as a whole and in shards", () => {
  const stages = fc.constantFrom("1/s->60/s:3s,20/s:2s,60/s->1/s:1s", "9/s:1s,0/s:5s", "30/s:7s");
  fc.assert(
    fc.property(
      stages,
      fc.nat(1_000_000),
      fc.nat(4_000),
      fc.integer({ min: 1, max: 4 }),
      (of, seed, warmup, shards) => {
        const plan = random({ stages: of, seed: String(seed), ...(warmup > 0 && { warmup: `${warmup}ms` }) });
        const drawn = [...arrivals(plan)].length;
        expect(plannedCostOf(plan)).toMatchObject({ starts: drawn, mostStarts: drawn });
        const parts = Array.from({ length: shards }, (_, index) => ({ number: index + 1, of: shards }));
        const starts = parts.map((shard) => plannedCostOf({ ...plan, shard }).mostStarts!);
        expect(starts).toEqual(parts.map((shard) => [...arrivals({ ...plan, shard })].length));
      },
    ),
  );
});

test("a limit at the mean of random arrivals is exceeded by those of the seed", () => {
  const cost = plannedCostOf(random({ rate: "50/s", duration: "20s" }));
  expect(() => guardSpend(cost, { maxActions: 3_000 }, 1, "emulator")).toThrow("this run costs 3,054 actions");
  expect(() => guardSpend(cost, { maxActions: 3_054 }, 1, "emulator")).not.toThrow();
});

test("millions of random arrivals are bounded, and not drawn", () => {
  const plan = random({ rate: "2k/s", duration: "30m" });
  const cost = plannedCostOf(plan);
  expect(cost.starts).toBe(3_600_000);
  expect(cost.mostStarts).toBe(3_615_179);
  expect(arrivalCount(plan)).toBeLessThanOrEqual(3_615_179);
  expect(() => guardSpend(cost, { maxActions: 3_000 }, 1, "emulator")).toThrow("this run may cost 10,845,537 actions");
});
