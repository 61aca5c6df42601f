import { expect, test } from "vitest";
import { actionsOf, activitiesOf, executionsOf } from "../../src/stats/run-size.js";

test.each([
  [{ parallelOrchestrations: 1, iterations: 10, parallelActivities: 5 }, 1, 50, 101],
  [{ parallelOrchestrations: 200, iterations: 10, parallelActivities: 10 }, 1, 20_000, 40_200],
  [{ parallelOrchestrations: 4, iterations: 10, parallelActivities: 5, continueAsNewEvery: 3 }, 4, 200, 416],
  [{ parallelOrchestrations: 1, iterations: 10, parallelActivities: 1, continueAsNewEvery: 10 }, 1, 10, 21],
  [{ parallelOrchestrations: 1, iterations: 10, parallelActivities: 1, continueAsNewEvery: 99 }, 1, 10, 21],
  [{ parallelOrchestrations: 1, iterations: 10, parallelActivities: 1, continueAsNewEvery: 1 }, 10, 10, 30],
])(
  "a run of %j has %d executions an orchestration, %d activities and %d actions",
  (size, executions, activities, actions) => {
    expect(executionsOf(size)).toBe(executions);
    expect(activitiesOf(size)).toBe(activities);
    expect(actionsOf(size)).toBe(actions);
  },
);

test("a run of somebody's own orchestration has neither activities nor actions that are known", () => {
  expect(activitiesOf({ parallelOrchestrations: 3 })).toBeUndefined();
  expect(actionsOf({ parallelOrchestrations: 3 })).toBeUndefined();
});
