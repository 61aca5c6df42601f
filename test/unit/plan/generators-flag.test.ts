import { describe, expect, test } from "vitest";
import { parseRunCall } from "../../../src/commands/run-call.js";
import { generatorsOf, generatorsText } from "../../../src/plan/generators-flag.js";
import { parsePlan } from "../../../src/plan/plan.js";

/** As commander fills them in. */
const DEFAULTS = { iterations: "10", parallelActivities: "5", workers: "auto", timeout: "10m" };
const MACHINE = { cores: 8, isShared: false, startsPerSecond: 1_000 };

function open(rate: string, more: object = {}) {
  return parsePlan({ ...DEFAULTS, rate, duration: "1m", ...more });
}

describe("--generators", () => {
  test.each([
    [{ generators: "0" }, '--generators: expected at least 1, found "0"'],
    [{ generators: "65" }, '--generators: expected at most 64, found "65"'],
    [{ generators: "many" }, '--generators: expected auto or a whole number such as 2, found "many"'],
    [{ generators: "2", shard: "1/2", runId: "a", startIn: "9s" }, "--generators: expected it without --shard"],
  ])("%o is refused by name", (flags, message) => {
    expect(() => parseRunCall({ ...DEFAULTS, ...flags })).toThrow(message);
  });

  test.each([
    [{ total: "3", parallelOrchestrations: "9" }, "--generators: expected at most 3, one for each of --total 3"],
    [{}, "--generators: expected at most 1, one for each of --parallel-orchestrations 1"],
    [{ rate: "1/s", duration: "9s", maxInFlight: "3" }, "at most 3, one for each of --max-in-flight 3"],
  ])("more generators than parts of %o are refused", (flags, message) => {
    expect(() => generatorsOf(parsePlan({ ...DEFAULTS, ...flags }), 4, MACHINE)).toThrow(message);
  });

  test("a number is taken as it is, and one that nobody asked for is not told", () => {
    expect(generatorsOf(open("1/s"), 3, MACHINE)).toEqual({ count: 3 });
    expect(generatorsText({ count: 3 })).toBe(", from 3 generators");
    expect(generatorsText(generatorsOf(open("1/s"), undefined, MACHINE))).toBe("");
  });

  test.each([
    ["as the rate needs", open("2500/s"), MACHINE, ", from 3 generators (auto: 2,500/s at 1,000/s each)"],
    ["one for a low rate", open("10/s"), MACHINE, ", from 1 generator (auto: 10/s at 1,000/s each)"],
    [
      "as the highest stage needs",
      parsePlan({ ...DEFAULTS, stages: "10/s->1900/s:1m,5/s:1m" }),
      MACHINE,
      ", from 2 generators (auto: 1,900/s at 1,000/s each)",
    ],
    [
      "no more than cores",
      open("90000/s"),
      MACHINE,
      ", from 8 generators (auto: 90,000/s at 1,000/s each needs 90, and there are cores for 8)",
    ],
    [
      "half of the cores beside a backend",
      open("90000/s"),
      { ...MACHINE, isShared: true },
      ", from 4 generators (auto: 90,000/s at 1,000/s each needs 90, and there are cores for 4)",
    ],
    [
      "one in closed load",
      parsePlan({ ...DEFAULTS, total: "9" }),
      MACHINE,
      ", from 1 generator (auto: only open load has a rate to choose by)",
    ],
  ])("auto takes %s", (_name, plan, machine, text) => {
    expect(generatorsText(generatorsOf(plan, "auto", machine))).toBe(text);
  });
});
