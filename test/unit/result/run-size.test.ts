import { expect, test } from "vitest";
import { actionsOf, activitiesOf, executionsOf } from "../../../src/result/run-size.js";

test.each([
  [{ iterations: 10, parallelActivities: 5 }, 1, 50, 101],
  [{ iterations: 10, parallelActivities: 10 }, 1, 100, 201],
  [{ iterations: 10, parallelActivities: 5, continueAsNewEvery: 3 }, 4, 50, 104],
  [{ iterations: 10, parallelActivities: 1, continueAsNewEvery: 10 }, 1, 10, 21],
  [{ iterations: 10, parallelActivities: 1, continueAsNewEvery: 99 }, 1, 10, 21],
  [{ iterations: 10, parallelActivities: 1, continueAsNewEvery: 1 }, 10, 10, 30],
  [{ iterations: 10, parallelActivities: 5, subOrchestrations: 5 }, 1, 50, 201],
  [{ iterations: 10, parallelActivities: 5, timer: {} }, 1, 50, 110],
  [{ iterations: 1, parallelActivities: 5, timer: {} }, 1, 5, 11],
  [{ iterations: 10, parallelActivities: 5, subOrchestrations: 2, timer: {}, continueAsNewEvery: 5 }, 2, 50, 151],
])(
  "an orchestration of %j has %d executions, %d activities and %d actions",
  (size, executions, activities, actions) => {
    expect(executionsOf(size)).toBe(executions);
    expect(activitiesOf(size)).toBe(activities);
    expect(actionsOf(size)).toBe(actions);
  },
);

test("somebody's own orchestration has neither activities nor actions that are known", () => {
  expect(activitiesOf({})).toBeUndefined();
  expect(actionsOf({})).toBeUndefined();
});
