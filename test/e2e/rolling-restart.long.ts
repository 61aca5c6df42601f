import { expect, test } from "vitest";
import { rollingRestart } from "../support/e2e/rolling-restart.js";

test("two workers are replaced ten times each under load: nothing is lost, and nothing is executed twice", async () => {
  const { needed, completed } = await rollingRestart(10, 400);
  expect(completed).toBe(needed);
});
