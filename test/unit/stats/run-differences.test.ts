import { describe, expect, test } from "vitest";
import { differencesOf } from "../../../src/stats/run-differences.js";
import type { OrchestrationResult, ResultEnvironment, ResultPlan, RunResult } from "../../../src/result/run-result.js";
import { closedLoadResult } from "../../support/report/closed-load-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

const withPlan = (plan: Partial<ResultPlan>): RunResult => ({
  ...sampleResult,
  plan: { ...sampleResult.plan, ...plan },
});
const inPlace = (environment: Partial<ResultEnvironment>): RunResult => ({
  ...sampleResult,
  environment: { ...sampleResult.environment, ...environment },
});

const part = (orchestrator: string, until: "completed" | "noticed"): OrchestrationResult => ({
  orchestrator,
  counts: { orchestrations: sampleResult.counts.orchestrations },
  latencyMs: { response: { count: 1, mean: 1, max: 1, until } },
});
const mixing = (...byOrchestration: readonly OrchestrationResult[]): RunResult => ({
  ...sampleResult,
  byOrchestration,
});
const mixOf = (file: string, sha256: string): RunResult =>
  withPlan({
    orchestrations: [
      { orchestrator: "Order", weight: 1, inputs: { file, sha256, lines: 3, order: "cycle" } },
      { orchestrator: "Refund", weight: 1 },
    ],
  });

describe("differences between runs", () => {
  test.each<readonly [field: string, base: unknown, fresh: unknown, RunResult]>([
    ["plan.iterations", 10, 20, withPlan({ iterations: 20 })],
    ["plan.parallelOrchestrations", 200, 100, withPlan({ parallelOrchestrations: 100 })],
    ["plan.activity.duration", null, "20ms", withPlan({ activity: { duration: "20ms" } })],
    ["plan.continueAsNewEvery", null, 5, withPlan({ continueAsNewEvery: 5 })],
    ["plan.warmupMs", null, 1_000, withPlan({ warmupMs: 1_000 })],
    ["environment.fanoutVersion", "0.1.0", "0.2.0", inPlace({ fanoutVersion: "0.2.0" })],
    ["environment.sdkVersion", "0.4.0", "0.5.0", inPlace({ sdkVersion: "0.5.0" })],
    ["environment.node", "24.0.0", "22.13.0", inPlace({ node: "22.13.0" })],
    ["environment.platform", "linux", "darwin", inPlace({ platform: "darwin" })],
    ["environment.cpu.model", "a cpu", "another", inPlace({ cpu: { model: "another", cores: 2 } })],
    ["environment.cpu.cores", 2, 4, inPlace({ cpu: { model: "a cpu", cores: 4 } })],
    [
      "environment.backend.name",
      "the embedded emulator",
      "another",
      inPlace({ backend: { kind: "emulator", name: "another", durability: "disk" } }),
    ],
    [
      "environment.backend.durability",
      "disk",
      "process",
      inPlace({ backend: { kind: "emulator", name: "the embedded emulator", durability: "process" } }),
    ],
    ["environment.taskHub", "default", "other", inPlace({ taskHub: "other" })],
    ["environment.ownWorkers", 2, 0, inPlace({ ownWorkers: 0 })],
    [
      "latencyMs.response.until",
      null,
      "noticed",
      { ...sampleResult, latencyMs: { response: { count: 1, mean: 1, max: 1, until: "noticed" } } },
    ],
  ])("have %s with both values", (field, base, fresh, run) => {
    expect(differencesOf([sampleResult], [run])).toEqual([{ field, base: [base], new: [fresh] }]);
  });

  test("ignore names, seeds, waits and earlier work on the hub", () => {
    const run: RunResult = {
      ...withPlan({
        labels: { branch: "main" },
        seed: 42,
        activity: { seed: 42 },
        timeoutMs: 1_000,
        graceMs: 1_000,
        workers: 2,
        load: { kind: "once" },
      }),
      runId: "another",
      environment: { ...sampleResult.environment, hub: { unfinished: 3, more: false, runs: [] } },
    };
    expect(differencesOf([sampleResult], [run])).toEqual([]);
  });

  test("have the end of a latency of each orchestration that is compared", () => {
    const [base, fresh] = [part("Order", "completed"), part("Order", "noticed")];
    expect(differencesOf([mixing(base)], [mixing(fresh)])).toEqual([
      { field: "byOrchestration.Order.latencyMs.response.until", base: ["completed"], new: ["noticed"] },
    ]);
    const another = part("Refund", "completed");
    expect(differencesOf([mixing(base)], [mixing(base, another)])).toEqual([]);
    expect(differencesOf([sampleResult], [mixing(fresh)])).toEqual([]);
  });

  test("ignore the names of the files of a mix, and have their content", () => {
    expect(differencesOf([mixOf("a.jsonl", "12")], [mixOf("b.jsonl", "12")])).toEqual([]);
    expect(differencesOf([mixOf("a.jsonl", "12")], [mixOf("a.jsonl", "34")])).toMatchObject([
      { field: "plan.orchestrations" },
    ]);
  });

  test("are found within a side too, each value once", () => {
    const other = inPlace({ node: "22.13.0" });
    expect(differencesOf([sampleResult, other, sampleResult, other], [sampleResult])).toEqual([
      { field: "environment.node", base: ["24.0.0", "22.13.0"], new: ["24.0.0"] },
    ]);
  });

  test("have each part of a load, and all stages as one", () => {
    const found = differencesOf([closedLoadResult], [openLoadResult]);
    expect(found).toContainEqual({ field: "plan.load.kind", base: ["closed"], new: ["open"] });
    const { load } = openLoadResult.plan;
    const stages = load?.kind === "open" ? load.stages : undefined;
    expect(found).toContainEqual({ field: "plan.load.stages", base: [null], new: [stages] });
  });
});
