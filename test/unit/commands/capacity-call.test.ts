import { describe, expect, test } from "vitest";
import { parseCapacityCall } from "../../../src/commands/capacity-call.js";

/** As commander returns the defaults. */
const DEFAULTS = { iterations: "10", parallelActivities: "5", workers: "auto", precision: "5%", maxTime: "15m" };

const parse = (flags: object) => parseCapacityCall({ ...DEFAULTS, ...flags });

describe("the flags of a search", () => {
  test("open load, by default from a calibration, within 5 % and 15 minutes", () => {
    const call = parse({ slo: ["p99<2s", "errors<0.1%"] });
    expect(call).toMatchObject({ load: "open", from: undefined, precision: 0.05, maxTime: 900_000 });
    expect(call.objectives.map(({ expression }) => expression)).toEqual(["p99<2s", "errors<0.1%"]);
    expect(call.plan).toMatchObject({ graceMs: 30_000, load: { arrival: "constant", maxInFlight: 10_000 } });
  });

  test("levels are rates, and numbers in flight with --closed", () => {
    expect(parse({ slo: ["p99<2s"], from: "90/m", atLeast: "100/s" })).toMatchObject({ from: 1.5, atLeast: 100 });
    expect(parse({ slo: ["service p99<5s"], closed: true, from: "8", atLeast: "1k" })).toMatchObject({
      from: 8,
      atLeast: 1_000,
    });
  });

  test.each([
    [{}, "--slo: expected at least one objective, found none"],
    [{ slo: ["p99"] }, "--slo 'p99': expected a figure, one of < <= > >= and a bound"],
    [{ slo: ["p99>2s"] }, "--slo 'p99>2s': expected an upper bound of what more load makes worse"],
    [{ slo: ["activities/s<100"] }, "--slo 'activities/s<100': expected an upper bound of what more load makes worse"],
    [{ slo: ["queue p99<1s"] }, "--slo 'queue p99<1s': expected an upper bound of what more load makes worse"],
    [{ slo: ["p99<2s"], closed: true }, "use 'service p99<2s'"],
    [{ slo: ["p99<2s"], closed: true, arrival: "poisson" }, "--arrival: expected it without --closed"],
    [
      { slo: ["p99<2s"], from: "10" },
      '--from: expected a rate such as 50/s, 0.5/s or 90/m, at most 100,000/s, found "10"',
    ],
    [
      { slo: ["service p99<2s"], closed: true, from: "10/s" },
      '--from: expected a number in flight such as 10, found "10/s"',
    ],
    [{ slo: ["p99<2s"], atLeast: "0/s" }, "--at-least: expected a rate"],
    [{ slo: ["p99<2s"], precision: "0.1%" }, '--precision: expected at least 0.5%, found "0.1%"'],
    [
      { slo: ["p99<2s"], rate: "10/s" },
      "--rate: expected none, since `fanout capacity` sets it; the search finds the rate",
    ],
    [{ slo: ["p99<2s"], parallelOrchestrations: "5" }, "--parallel-orchestrations: expected none"],
    [{ slo: ["p99<2s"], threshold: "p99<1s" }, "use --slo for the objective, and --at-least for a gate"],
    [{ slo: ["p99<2s"], iterations: "none" }, "--iterations: expected a whole number"],
  ])("%j is refused", (flags, message) => {
    expect(() => parse(flags)).toThrow(message);
  });
});
