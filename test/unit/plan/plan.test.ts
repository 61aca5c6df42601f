import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { parsePlan } from "../../../src/plan/plan.js";

const defaults = {
  iterations: "10",
  parallelActivities: "5",
  workers: "auto",
  timeout: "10m",
};

describe("a plan", () => {
  test("comes from the flags' defaults", () => {
    expect(parsePlan(defaults)).toEqual({
      iterations: 10,
      parallelActivities: 5,
      load: { kind: "once" },
      parallelOrchestrations: 1,
      seed: 0,
      workers: "auto",
      timeoutMs: 600_000,
      workerWarningMs: 10_000,
      workerDeadlineMs: 60_000,
      maxOutageMs: 300_000,
      traceShare: 1,
    });
  });

  test.each([
    [{}, 1],
    [{ parallelOrchestrations: "100" }, 0.1],
    [{ parallelOrchestrations: "1,000" }, 0.01],
    [{ parallelOrchestrations: "100k" }, 0.01],
    [{ rate: "50/s", duration: "10s" }, 0.02],
    [{ duration: "10s" }, 0.05],
    [{ traceSample: "10%" }, 0.1],
    [{ traceSample: "0" }, 0],
  ])("traces of %j the share %d", (flags, traceShare) => {
    expect(parsePlan({ ...defaults, ...flags }).traceShare).toBeCloseTo(traceShare, 9);
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
    [{ traceSample: "1.5" }, '--trace-sample: expected a share from 0 to 1 such as 0.05 or 5%, found "1.5"'],
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

  test.each([
    [
      { parallelOrchestrations: "20", duration: "1m" },
      { load: { kind: "closed", durationMs: 60_000 }, graceMs: 30_000 },
    ],
    [{ total: "1k" }, { load: { kind: "closed", total: 1_000 }, parallelOrchestrations: 1 }],
    [
      { total: "9", duration: "2s", warmup: "1s", grace: "5s" },
      { load: { kind: "closed", total: 9, durationMs: 2_000 }, warmupMs: 1_000, graceMs: 5_000 },
    ],
    [
      { rate: "50/s", duration: "1m" },
      {
        load: {
          kind: "open",
          arrival: "constant",
          stages: [{ fromPerSecond: 50, toPerSecond: 50, lengthMs: 60_000 }],
          maxInFlight: 10_000,
        },
        graceMs: 30_000,
      },
    ],
    [
      { stages: "1/s->9/s:5s", arrival: "poisson", maxInFlight: "7", seed: "3", label: ["branch=main", "a="] },
      {
        load: {
          kind: "open",
          arrival: "poisson",
          stages: [{ fromPerSecond: 1, toPerSecond: 9, lengthMs: 5_000 }],
          maxInFlight: 7,
        },
        seed: 3,
        labels: { branch: "main", a: "" },
      },
    ],
  ])("reads the load from %j", (flags, plan) => {
    expect(parsePlan({ ...defaults, ...flags })).toMatchObject(plan);
  });

  test("has no number of orchestrations in open load, and no end in closed load of a number", () => {
    expect(parsePlan({ ...defaults, rate: "1/s", duration: "1s" })).not.toHaveProperty("parallelOrchestrations");
    expect(parsePlan({ ...defaults, total: "5" })).not.toHaveProperty("graceMs");
  });

  test.each([
    [{ rate: "50" }, '--rate: expected a rate such as 50/s, 0.5/s or 90/m, at most 100,000/s, found "50"'],
    [{ stages: "10/s" }, '--stages: expected stages such as 10/s:30s,10/s->100/s:1m, found "10/s"'],
    [{ arrival: "random" }, '--arrival: expected constant or poisson, found "random"'],
    [{ rate: "50/s" }, "--rate: expected --duration with it, such as --duration 1m"],
    [{ rate: "50/s", stages: "1/s:1s" }, "--rate: expected it without --stages"],
    [
      { stages: "1/s:1s", duration: "1m" },
      "--duration: expected it without --stages, which says how long each stage is",
    ],
    [{ stages: "0/s:1s" }, "--rate: expected a load that starts something"],
    [
      { rate: "1/s", duration: "1s", parallelOrchestrations: "2" },
      "--parallel-orchestrations: expected it without --rate, which starts by a schedule",
    ],
    [{ rate: "1/s", duration: "1s", total: "2" }, "--total: expected it without --rate, which starts by a schedule"],
    [{ rate: "100k/s", duration: "1h" }, "--rate: expected at most 100,000,000 starts, found 360,000,000"],
    [{ arrival: "poisson" }, "--arrival: expected --rate or --stages with it"],
    [{ maxInFlight: "5", duration: "1s" }, "--max-in-flight: expected --rate or --stages with it"],
    [{ warmup: "5s" }, "--warmup: expected --duration, --total, --rate or --stages with it"],
    [{ grace: "5s" }, "--grace: expected --duration, --rate or --stages with it"],
    [{ grace: "5s", total: "5" }, "--grace: expected --duration, --rate or --stages with it"],
    [{ tag: ["main"] }, '--tag: expected a tag such as team=shop, found "main"'],
    [{ instanceVersion: "" }, "--instance-version: expected a version of 1 to 100 characters"],
    [{ instanceVersion: "1\n2" }, "--instance-version: expected a version of 1 to 100 characters"],
    [{ label: ["main"] }, '--label: expected a label such as branch=main, found "main"'],
  ])("refuses the load of %j by the flag's name", (flags, message) => {
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
      orchestrator: "Order",
      orchestratorInput: { id: 1 },
      load: { kind: "once" },
      parallelOrchestrations: 1,
      seed: 0,
      workers: "auto",
      timeoutMs: 600_000,
      workerWarningMs: 10_000,
      workerDeadlineMs: 60_000,
      maxOutageMs: 300_000,
      traceShare: 1,
    });
  });
});
