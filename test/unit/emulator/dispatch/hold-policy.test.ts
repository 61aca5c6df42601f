import { expect, test } from "vitest";
import { HoldPolicy } from "../../../../src/emulator/dispatch/hold-policy.js";

test("a new orchestrator holds for the initial time", () => {
  expect(new HoldPolicy().start("Orchestrator")).toBe(HoldPolicy.initialMs);
});

test("episodes that yield nothing double the hold, up to its maximum", () => {
  const policy = new HoldPolicy();
  const holds = [policy.start("Orchestrator")];
  for (let n = 0; n < 7; n += 1) holds.push(policy.learn("Orchestrator", holds.at(-1)!, false));

  expect(holds).toEqual([2, 4, 8, 16, 32, 50, 50, 50]);
});

test("an episode that yields something ends the hold at once", () => {
  const policy = new HoldPolicy();
  expect(policy.learn("Orchestrator", 32, true)).toBe(0);
  expect(policy.start("Orchestrator")).toBe(0);
});

test("the hold comes back when an orchestrator changes its ways", () => {
  const policy = new HoldPolicy();
  policy.learn("Orchestrator", 32, true);
  expect(policy.learn("Orchestrator", 0, false)).toBe(HoldPolicy.initialMs);
});

test("a new instance starts with what the last of its orchestrator has learned, and of no other", () => {
  const policy = new HoldPolicy();
  policy.learn("Slow", 16, false);
  policy.learn("Racing", 16, true);
  expect([policy.start("Slow"), policy.start("Racing"), policy.start("New")]).toEqual([32, 0, HoldPolicy.initialMs]);
});

test("where nothing may be held, nothing is, whatever it yields", () => {
  const policy = new HoldPolicy(0);
  expect([policy.start("Orchestrator"), policy.learn("Orchestrator", 0, false)]).toEqual([0, 0]);
});
