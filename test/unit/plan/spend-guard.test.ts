import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { costOf } from "../../../src/result/plan-cost.js";
import { parsePlan, type LoadPlan } from "../../../src/plan/plan.js";
import {
  capacityLine,
  guardSpend,
  parseSpendLimits,
  spendBoundOf,
  spendObjection,
  withinSpend,
} from "../../../src/plan/spend-guard.js";

const flags = { iterations: "10", parallelActivities: "5", workers: "auto", timeout: "10m" };

/** Of somebody's own orchestrations, whose activities and actions are unknown. */
function startsOf(count: number): LoadPlan {
  return parsePlan({ ...flags, orchestrator: "Order", total: String(count) });
}

/** Of orchestrations of three actions: their start, and one activity. */
function actionsOf(count: number): LoadPlan {
  return parsePlan({ ...flags, iterations: "1", parallelActivities: "1", total: String(count / 3) });
}

describe("the spend guard", () => {
  test.each([
    ["billed", 99_999, undefined, undefined],
    ["billed", 100_002, undefined, "--max-actions 100,002 (or greater). --dry-run prints the plan"],
    ["billed", 4_000_200, 4_000_200, undefined],
    ["billed", 4_000_200, 4_000_199, "more than the 4,000,199 allowed"],
    ["billed", 102, 100, "--max-actions: this run costs 102 actions"],
    ["emulator", 4_000_200, undefined, undefined],
    ["emulator", 4_000_200, 10_000_000, undefined],
    ["emulator", 102, 100, "more than the 100 allowed"],
  ] as const)("on the %s, of %d actions with --max-actions %s objects: %s", (kind, actions, maxActions, objection) => {
    const plan = actionsOf(actions);
    const found = spendObjection(costOf(plan), { maxActions }, 1, kind);
    if (objection === undefined) {
      expect(found).toBeUndefined();
      expect(() => guardSpend(costOf(plan), { maxActions }, 1, kind)).not.toThrow();
    } else {
      expect(found?.message).toContain(objection);
      expect(() => guardSpend(costOf(plan), { maxActions }, 1, kind)).toThrow(UsageError);
    }
  });

  test.each([
    [100_000, undefined, undefined],
    [
      100_001,
      undefined,
      "this run may start 100,001 orchestrations of unknown cost, and a backend other than the emulator may bill them; " +
        "more than 100,000 need --max-actions 100,001 (or greater), which then bounds the starts.",
    ],
    [
      1_000,
      999,
      "--max-actions: this run may start 1,000 orchestrations of unknown cost, more than the 999 allowed; " +
        "make it smaller, or pass --max-actions 1,000, which then bounds the starts",
    ],
    [1_000, 1_000, undefined],
  ])(
    "of %d starts whose actions are unknown with --max-actions %s says no number of actions: %s",
    (starts, maxActions, objection) => {
      const found = spendObjection(costOf(startsOf(starts)), { maxActions }, 1, "billed");
      if (objection === undefined) expect(found).toBeUndefined();
      else expect(found?.message).toContain(objection);
    },
  );

  test.each([
    [actionsOf(1_500), 2, { kind: "actions", most: 3_000 }],
    [startsOf(1_000), 2, { kind: "starts", most: 2_000 }],
    [
      parsePlan({
        ...flags,
        orchestrations: [
          { orchestrator: "A", weight: "1" },
          { orchestrator: "B", weight: "1" },
        ],
      }),
      1,
      { kind: "starts", most: 1 },
    ],
    [parsePlan({ ...flags, orchestrator: "Order", duration: "1m" }), 1, { kind: "time" }],
    [parsePlan({ ...flags, duration: "1m" }), 1, { kind: "time" }],
  ])("knows what bounds the cost: %#", (plan, repeat, bound) => {
    expect(spendBoundOf(costOf(plan), repeat)).toEqual(bound);
  });

  test.each([
    [
      { maxActions: "4,000,400", capacityUnits: "2" },
      { maxActions: 4_000_400, capacityUnits: 2 },
    ],
    [{ maxActions: "5M" }, { maxActions: 5_000_000 }],
    [{ capacityUnits: "Consumption" }, { capacityUnits: "consumption" }],
    [{}, {}],
  ])("reads %j", (flags, limits) => {
    expect(parseSpendLimits(flags)).toEqual(limits);
  });

  test.each([
    [{ maxActions: "lots" }, '--max-actions: expected a whole number such as 10, 1,000 or 10k, found "lots"'],
    [{ maxActions: "0" }, '--max-actions: expected at least 1, found "0"'],
    [
      { capacityUnits: "0" },
      "--capacity-units: expected 1, 2 or 3 units of a Dedicated scheduler (2,000 actions/s and",
    ],
    [{ capacityUnits: "4" }, 'or consumption (500 actions/s), found "4"'],
    [{ capacityUnits: "premium" }, 'found "premium"'],
  ])("refuses %j by the flag's name", (flags, message) => {
    expect(() => parseSpendLimits(flags)).toThrow(message);
  });

  test.each([
    [undefined, undefined],
    [1, "1 capacity unit does at most 2,000 actions/s: the run keeps all of it busy for 20.1 s"],
    [2, "2 capacity units do at most 4,000 actions/s: the run keeps all of them busy for 10.1 s"],
    [3, "and takes that long or longer; they hold 150 GB"],
    ["consumption", "a Consumption scheduler does at most 500 actions/s: the run keeps it busy for 1m20s"],
  ] as const)("of 40,200 actions on %s units says: %s", (capacityUnits, line) => {
    const found = capacityLine(costOf(actionsOf(40_200)), { capacityUnits }, 1);
    if (line === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(line);
  });

  test("says nothing of the time of units whose number of actions is unknown", () => {
    expect(capacityLine(costOf(startsOf(40_200)), { capacityUnits: 1 }, 1)).toBeUndefined();
  });

  test("counts every repeat", () => {
    expect(spendObjection(costOf(actionsOf(60_000)), {}, 1, "billed")).toBeUndefined();
    expect(spendObjection(costOf(actionsOf(60_000)), {}, 2, "billed")?.message).toContain(
      "this run costs 120,000 actions",
    );
  });

  test("counts all retries that there may be, where activities are meant to fail", () => {
    const failing = parsePlan({ ...flags, failureRate: "1%", retries: "3" });
    // 101 actions, and for each of 50 activities three retries of three actions.
    expect(spendObjection(costOf(failing), { maxActions: 551 }, 1, "emulator")).toBeUndefined();
    expect(spendObjection(costOf(failing), { maxActions: 550 }, 1, "emulator")?.message).toContain(
      "this run may cost, with all its retries, 551 actions",
    );
    const whole = parsePlan({ ...flags, retries: "3" });
    expect(spendObjection(costOf(whole), { maxActions: 101 }, 1, "emulator")).toBeUndefined();
  });

  test("asks for a limit if only time bounds the cost of a run, except on the emulator", () => {
    const plan = parsePlan({ ...flags, duration: "1m" });
    expect(spendObjection(costOf(plan), {}, 1, "billed")?.message).toContain(
      "only time bounds the actions of this run",
    );
    expect(spendObjection(costOf(plan), {}, 1, "emulator")).toBeUndefined();
  });

  test("ends a run that only time bounds when its share of the limit is spent", () => {
    const plan = parsePlan({ ...flags, duration: "1m" });
    // An orchestration of 10 x 5 activities costs 101 actions.
    expect(withinSpend(plan, { maxActions: 1_010 }, 1).load).toEqual({ kind: "closed", durationMs: 60_000, total: 10 });
    expect(withinSpend(plan, { maxActions: 1_010 }, 3).load).toMatchObject({ total: 3 });
    expect(withinSpend(plan, {}, 1)).toBe(plan);
    expect(withinSpend(startsOf(5), { maxActions: 2 }, 1)).toEqual(startsOf(5));
    expect(
      spendObjection(costOf(withinSpend(plan, { maxActions: 1_010 }, 1)), { maxActions: 1_010 }, 1, "billed"),
    ).toBe(undefined);
    expect(
      spendObjection(costOf(withinSpend(plan, { maxActions: 100 }, 1)), { maxActions: 100 }, 1, "billed")?.message,
    ).toContain("one orchestration costs more");
  });
});
