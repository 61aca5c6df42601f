import { expect, test } from "vitest";
import { SIMULATIONS, simulatedSearches } from "../../support/capacity/simulations.js";

test.each(SIMULATIONS)(
  "1,000 searches of $name: 95 % within the precision, at most 14 probes on average",
  (simulation) => {
    const { within, meanProbes } = simulatedSearches(simulation, 1_000);
    expect(within).toBeGreaterThanOrEqual(0.95);
    expect(meanProbes).toBeLessThanOrEqual(14);
  },
);
