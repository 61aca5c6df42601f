import { describe, expect, test } from "vitest";
import { nextStep, type ProbedLevel, type SearchBounds } from "../../../src/capacity/search.js";
import { cliff, simulatedSearch } from "../../support/capacity/simulated-search.js";
import { SIMULATIONS, simulatedSearches } from "../../support/capacity/simulations.js";

const BOUNDS: SearchBounds = { from: 10, precision: 0.05, least: 0.01, most: 100_000, whole: false };

describe("the search", () => {
  test("grows, bisects, and repeats both ends until three probes agree", () => {
    const { probes, findings } = simulatedSearch(BOUNDS, cliff(100));
    expect(probes.map(({ level }) => level)).toEqual([
      10, 20, 40, 80, 160, 113.1, 95.12, 103.7, 99.32, 99.32, 103.7, 99.32, 103.7,
    ]);
    expect(findings).toEqual({ held: 99.32, missed: 103.7, narrow: true, confirmed: true, disagreements: [] });
  });

  test("goes down where the first level misses", () => {
    const { findings } = simulatedSearch({ ...BOUNDS, from: 1_000 }, cliff(100));
    expect(findings.held).toBeLessThanOrEqual(100);
    expect(findings.missed).toBeLessThanOrEqual(findings.held! * 1.05);
  });

  test("says at least, if nothing misses", () => {
    const { probes, findings } = simulatedSearch({ ...BOUNDS, most: 1_000 }, () => "held");
    expect(probes.map(({ level }) => level)).toEqual([10, 20, 40, 80, 160, 320, 640, 1_000]);
    expect(findings).toEqual({ held: 1_000, narrow: false, confirmed: false, disagreements: [] });
  });

  test("says that nothing held, if everything misses", () => {
    const { probes, findings } = simulatedSearch({ ...BOUNDS, least: 0.1 }, () => "missed");
    expect(probes.map(({ level }) => level)).toEqual([10, 2.5, 0.625, 0.1563, 0.1]);
    expect(findings).toEqual({ missed: 0.1, narrow: false, confirmed: false, disagreements: [] });
  });

  test("takes whole numbers in flight, and ends at neighbours", () => {
    const { probes, findings } = simulatedSearch({ ...BOUNDS, from: 1, least: 1, whole: true }, cliff(5));
    expect(findings).toMatchObject({ held: 5, missed: 6, narrow: true, confirmed: true });
    expect(probes.every(({ level }) => Number.isInteger(level))).toBe(true);
  });

  test("ends at a level at which the generator is the limit, after two more tries", () => {
    const { probes, findings } = simulatedSearch(BOUNDS, (level) => (level > 50 ? "invalid" : "held"));
    expect(probes.slice(-4)).toEqual([
      { level: 40, outcome: "held" },
      { level: 80, outcome: "invalid" },
      { level: 80, outcome: "invalid" },
      { level: 80, outcome: "invalid" },
    ]);
    expect(findings).toMatchObject({ held: 40, generatorLimit: 80 });
    expect(findings).not.toHaveProperty("missed");
  });

  test("goes on after a single invalid probe", () => {
    const { findings } = simulatedSearch(BOUNDS, (level, { probes }) =>
      probes === 2 ? "invalid" : cliff(100)(level, { probes, resolution: 1 }),
    );
    expect(findings).toMatchObject({ held: 99.32, missed: 103.7, confirmed: true });
  });

  test("names a capacity that drifts: the confirmations disagree", () => {
    const { findings } = simulatedSearch(BOUNDS, (level, probe) => cliff(probe.probes < 9 ? 100 : 60)(level, probe));
    expect(findings.disagreements).toContainEqual({ level: 99.32, outcomes: ["held", "missed", "missed"] });
    expect(findings.held).toBeLessThanOrEqual(60);
  });

  test("ends though the capacity never stays the same", () => {
    const { probes } = simulatedSearch(BOUNDS, (_, { probes }) => (probes % 3 === 0 ? "missed" : "held"));
    expect(probes.length).toBeLessThanOrEqual(25);
  });

  test("asks for finer probes as the interval narrows", () => {
    const probes: ProbedLevel[] = [
      { level: 10, outcome: "held" },
      { level: 20, outcome: "missed" },
    ];
    expect(nextStep(BOUNDS, probes)).toMatchObject({ purpose: "bisect", level: 14.14, resolution: Math.SQRT2 - 1 });
    expect(nextStep(BOUNDS, [...probes, { level: 19.9, outcome: "held" }])).toMatchObject({
      purpose: "confirm",
      resolution: 0.05,
    });
  });

  test.each(SIMULATIONS)("finds the capacity of $name within the precision", (simulation) => {
    const { within, meanProbes } = simulatedSearches(simulation, 20);
    expect(within).toBeGreaterThanOrEqual(0.9);
    expect(meanProbes).toBeLessThanOrEqual(14);
  });
});
