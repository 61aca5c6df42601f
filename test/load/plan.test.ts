import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.js";
import { parsePlan } from "../../src/load/plan.js";

const defaults = {
  iterations: "10",
  parallelActivities: "5",
  parallelOrchestrations: "1",
  workers: "auto",
  timeout: "10m",
};

describe("a plan", () => {
  test("comes from the flags' defaults", () => {
    expect(parsePlan(defaults)).toEqual({
      iterations: 10,
      parallelActivities: 5,
      parallelOrchestrations: 1,
      workers: "auto",
      timeoutMs: 600_000,
      workerWarningMs: 10_000,
      workerDeadlineMs: 60_000,
    });
  });

  test("takes counts and durations as people write them", () => {
    const plan = parsePlan({ ...defaults, parallelOrchestrations: "1,000", timeout: "1m30s", workers: "2" });
    expect(plan).toMatchObject({ parallelOrchestrations: 1_000, timeoutMs: 90_000, workers: 2 });
  });

  test("gives up after the worker timeout where one was asked for", () => {
    expect(parsePlan({ ...defaults, workerTimeout: "3s" })).toMatchObject({
      workerWarningMs: 3_000,
      workerDeadlineMs: 3_000,
    });
  });

  test.each([
    [{ iterations: "0" }, '--iterations: expected at least 1, found "0"'],
    [{ iterations: "ten" }, '--iterations: expected a whole number such as 10, 1,000 or 10k, found "ten"'],
    [{ parallelActivities: "2M" }, '--parallel-activities: expected at most 1,000,000, found "2M"'],
    [{ parallelOrchestrations: "1M" }, '--parallel-orchestrations: expected at most 100,000, found "1M"'],
    [{ workers: "some" }, '--workers: expected auto or a whole number such as 2, found "some"'],
    [{ workers: "1,000" }, '--workers: expected at most 64, found "1,000"'],
    [{ timeout: "10" }, '--timeout: expected a duration such as 500ms, 30s, 1m30s or 2h, found "10"'],
    [{ timeout: "0s" }, '--timeout: expected more than 0, found "0s"'],
    [{ workerTimeout: "1000h" }, '--worker-timeout: expected at most 576h, found "1000h"'],
    [{ iterations: "10k", parallelActivities: "1k" }, "expected at most 1,000,000 activities in one orchestration"],
  ])("refuses %j by the flag's name", (flags, message) => {
    const parse = () => parsePlan({ ...defaults, ...flags });
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });

  test("names every wrong flag at once", () => {
    expect(() => parsePlan({ ...defaults, iterations: "0", timeout: "x" })).toThrow(/--iterations.*\n.*--timeout/u);
  });

  test("of somebody's own orchestration has no fan-out", () => {
    const plan = parsePlan({ ...defaults, orchestrator: "Order", input: '{"id":1}', iterations: "10k" });
    expect(plan).toEqual({
      orchestrator: { name: "Order", input: { id: 1 } },
      parallelOrchestrations: 1,
      workers: "auto",
      timeoutMs: 600_000,
      workerWarningMs: 10_000,
      workerDeadlineMs: 60_000,
    });
  });
});
