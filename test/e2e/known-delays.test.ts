import { expect, test } from "vitest";
import { OPEN, expectPercentiles, runKnownDelays } from "../support/e2e/known-delays.js";

// The other distributions, and closed load, are in known-delays.long.ts.
test("the percentiles of known delays agree with the server's own log", { timeout: 120_000 }, async () => {
  const { result, log } = await runKnownDelays("exp:20ms", OPEN);
  expect(log).toHaveLength(11_000);
  expectPercentiles(result, log);
});
