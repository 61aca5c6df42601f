import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.js";
import { capacityLine, guardSpend, parseSpendLimits, spendObjection } from "../../src/load/spend-guard.js";

describe("the spend guard", () => {
  test.each([
    ["endpoint", 100_000, undefined, undefined],
    ["endpoint", 100_001, undefined, "--max-actions 100,001"],
    ["endpoint", 4_000_400, undefined, "--dry-run prints the plan"],
    ["endpoint", 4_000_400, 4_000_400, undefined],
    ["endpoint", 4_000_400, 4_000_399, "more than the 4,000,399 allowed"],
    ["endpoint", 101, 100, "--max-actions: this run costs 101 actions"],
    ["emulator", 4_000_400, undefined, undefined],
    ["emulator", 4_000_400, 10_000_000, undefined],
    ["emulator", 101, 100, "more than the 100 allowed"],
  ] as const)("on the %s, of %d actions with --max-actions %s objects: %s", (kind, actions, maxActions, objection) => {
    const found = spendObjection(actions, { maxActions }, kind);
    if (objection === undefined) {
      expect(found).toBeUndefined();
      expect(() => guardSpend(actions, { maxActions }, kind)).not.toThrow();
    } else {
      expect(found).toContain(objection);
      expect(() => guardSpend(actions, { maxActions }, kind)).toThrow(UsageError);
    }
  });

  test.each([
    [
      { maxActions: "4,000,400", capacityUnits: "2" },
      { maxActions: 4_000_400, capacityUnits: 2 },
    ],
    [{ maxActions: "5M" }, { maxActions: 5_000_000 }],
    [{}, {}],
  ])("reads %j", (flags, limits) => {
    expect(parseSpendLimits(flags)).toEqual(limits);
  });

  test.each([
    [{ maxActions: "lots" }, '--max-actions: expected a whole number such as 10, 1,000 or 10k, found "lots"'],
    [{ maxActions: "0" }, '--max-actions: expected at least 1, found "0"'],
    [{ capacityUnits: "0" }, '--capacity-units: expected at least 1, found "0"'],
  ])("refuses %j by the flag's name", (flags, message) => {
    expect(() => parseSpendLimits(flags)).toThrow(message);
  });

  test.each([
    [undefined, undefined],
    [1, "1 capacity unit does at most 2,000 actions/s: the run keeps all of it busy for 20.1 s"],
    [2, "2 capacity units do at most 4,000 actions/s: the run keeps all of them busy for 10.1 s"],
  ])("of 40,200 actions on %s units says: %s", (capacityUnits, line) => {
    const found = capacityLine(40_200, { capacityUnits });
    if (line === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(line);
  });
});
