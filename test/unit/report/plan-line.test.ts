import { expect, test } from "vitest";
import { planLine } from "../../../src/report/plan-line.js";

test.each([
  [1, 10, 5, "1 orchestration x 10 iterations x 5 activities = 50 activities, 101 actions"],
  [1, 1, 1, "1 orchestration x 1 iteration x 1 activity = 1 activity, 3 actions"],
  [200, 10, 10, "200 orchestrations x 10 iterations x 10 activities = 20,000 activities, 40,200 actions"],
])("%d x %d x %d", (parallelOrchestrations, iterations, parallelActivities, line) => {
  expect(planLine({ parallelOrchestrations, iterations, parallelActivities })).toBe(line);
});

test("the number of random arrivals is a mean", () => {
  const stages = [{ fromPerSecond: 50, toPerSecond: 50, lengthMs: 20_000 }];
  const load = { kind: "open", arrival: "poisson", stages, maxInFlight: 100 } as const;
  expect(planLine({ load, iterations: 1, parallelActivities: 1 })).toBe(
    "open load, 50/s for 20 s, random arrivals: about 1,000 orchestrations x 1 iteration x 1 activity = " +
      "about 1,000 activities, 3,000 actions",
  );
});

test("the cost of failing activities is unknown in advance", () => {
  const plan = { parallelOrchestrations: 2, iterations: 1, parallelActivities: 1, activity: { failureRate: 0.1 } };
  expect(planLine(plan)).toBe("2 orchestrations x 1 iteration x 1 activity = 2 activities, 6 actions if none fails");
});
