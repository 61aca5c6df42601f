import { expect, test } from "vitest";
import { CLOSED, OPEN, expectPercentiles, runKnownDelays } from "../support/e2e/known-delays.js";

test.each([
  ["open", "constant:20ms", OPEN],
  ["open", "bimodal:10ms,100ms@5%", OPEN],
  ["closed", "constant:20ms", CLOSED],
  ["closed", "exp:20ms", CLOSED],
  ["closed", "bimodal:10ms,100ms@5%", CLOSED],
])("percentiles in %s load of delays %s agree with the server's own log", async (_, delay, load) => {
  const { result, log } = await runKnownDelays(delay, load);
  expect(log).toHaveLength(11_000);
  expectPercentiles(result, log);
});
