import { expect, test } from "vitest";
import { STABLE, found, queueOf } from "../../support/stats/queue-runs.js";

test.each(STABLE)("nothing is found in 95 % of 200 runs with a queue that is stable: %j", (queue) => {
  expect(found(200, ["backlog", "trending"], (draw) => queueOf(draw, queue))).toBeLessThanOrEqual(10);
});
