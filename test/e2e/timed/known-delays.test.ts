import { expect, test } from "vitest";
import { CLOSED, OPEN, expectPercentiles, runKnownDelays } from "../known-delays.js";

// The other distributions are in known-delays.long.ts.
test.each([
  ["open", "exp:20ms", OPEN],
  ["closed", "bimodal:10ms,100ms@5%", CLOSED],
])(
  "percentiles in %s load of delays %s are those of the server's own log",
  { timeout: 120_000 },
  async (_, delay, load) => {
    const { result, log } = await runKnownDelays(delay, load);
    expect(log).toHaveLength(11_000);
    expectPercentiles(result, log);
  },
);
