import { expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { arrivals } from "../../../src/plan/arrivals.js";
import { refuseTooFewInputs } from "../../../src/load/too-few-inputs.js";
import type { InputOrder } from "../../../src/plan/input-lines.js";
import { parsePlan, type LoadPlan } from "../../../src/plan/plan.js";

const FLAGS = { workers: "auto", timeout: "10m", iterations: "1", parallelActivities: "1", orchestrator: "Order" };

function planOf(load: object, lines: number, order: InputOrder): LoadPlan {
  return { ...parsePlan({ ...FLAGS, ...load }), inputs: { file: "orders.csv", lines, order, sha256: "" } };
}

const POISSON = { rate: "100/s", duration: "1s", arrival: "poisson", seed: "3" };
const POISSON_STARTS = [...arrivals(parsePlan({ ...FLAGS, ...POISSON }))].length;

test.each<[object, number]>([
  [{ parallelOrchestrations: "5" }, 5],
  [{ total: "7", parallelOrchestrations: "2" }, 7],
  [{ rate: "10/s", duration: "1s", warmup: "500ms" }, 15],
  [POISSON, POISSON_STARTS],
])("%j takes %i inputs if each is taken once", (load, starts) => {
  refuseTooFewInputs(planOf(load, starts, "once"));
  refuseTooFewInputs(planOf(load, 1, "cycle"));
  refuseTooFewInputs(planOf(load, 1, "random"));
  const refused = () => refuseTooFewInputs(planOf(load, starts - 1, "once"));
  expect(refused).toThrow(UsageError);
  expect(refused).toThrow(
    /^--input-order once: expected an input for each start, found \d+ inputs in orders\.csv and/u,
  );
});

test("the shards of a run have the inputs of its file together", () => {
  const plan = planOf({ parallelOrchestrations: "6" }, 6, "once");
  refuseTooFewInputs({ ...plan, shard: { number: 2, of: 2 } });
  const short = planOf({ parallelOrchestrations: "6" }, 5, "once");
  expect(() => refuseTooFewInputs({ ...short, shard: { number: 2, of: 2 } })).toThrow(UsageError);
});
