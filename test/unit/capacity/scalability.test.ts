import { describe, expect, test } from "vitest";
import { scalabilityOf } from "../../../src/capacity/scalability.js";
import { randomOf } from "../../support/capacity/simulated-search.js";

const LEVELS = [1, 2, 4, 8, 16, 32, 64, 128];

function points(perSecondOf: (level: number) => number) {
  return LEVELS.map((level) => ({ level, perSecond: perSecondOf(level) }));
}

const law = (one: number, contention: number, coherency: number) => (level: number) =>
  (one * level) / (1 + contention * (level - 1) + coherency * level * (level - 1));

describe("the Universal Scalability Law", () => {
  test("its own points give its coefficients", () => {
    const fit = scalabilityOf(points(law(20, 0.02, 0.000_1)))!;
    expect(fit.perSecondOfOne.value).toBeCloseTo(20, 6);
    expect(fit.contention.value).toBeCloseTo(0.02, 8);
    expect(fit.coherency.value).toBeCloseTo(0.000_1, 10);
    expect(fit.peak!.level).toBeCloseTo(Math.sqrt(0.98 / 0.000_1), 4);
  });

  test("the intervals hold the coefficients in about 95 of 100 noisy measurements", () => {
    const random = randomOf(1);
    const perSecondOf = law(20, 0.05, 0.000_5);
    const fits = Array.from({ length: 300 }, () =>
      scalabilityOf(points((level) => perSecondOf(level) * (1 + 0.06 * (random() + random() - 1)))),
    );
    const held = fits.filter((fit) => fit && fit.contention.low <= 0.05 && fit.contention.high >= 0.05).length;
    expect(held).toBeGreaterThan(270);
    expect(held).toBeLessThan(298);
  });

  test("without coherency there is no peak", () => {
    const fit = scalabilityOf(points(law(20, 0.1, 0)))!;
    expect(fit.coherency.value).toBeCloseTo(0, 10);
    expect(scalabilityOf(points((level) => law(20, 0.1, 0)(level) * (1 + 0.001 * Math.log(level))))).not.toHaveProperty(
      "peak",
    );
  });

  test.each([
    ["fewer than five levels", points(law(20, 0.02, 0)).slice(0, 4)],
    ["points that no law explains", points((level) => (level % 3 === 0 ? 5 : level === 8 ? 400 : 20 * level))],
    ["the same throughput at each level", points(() => 100)],
  ])("%s give no fit", (_, measured) => {
    expect(scalabilityOf(measured)).toBeUndefined();
  });
});
