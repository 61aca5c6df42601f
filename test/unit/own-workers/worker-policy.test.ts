import { describe, expect, test } from "vitest";
import type { LoadPlan } from "../../../src/plan/plan.js";
import {
  decideWorkers,
  ownWorkerActivities,
  ownWorkerCount,
  type WorkerSituation,
} from "../../../src/own-workers/worker-policy.js";

const plan: LoadPlan = {
  iterations: 10,
  parallelActivities: 5,
  load: { kind: "once" },
  parallelOrchestrations: 1,
  seed: 0,
  workers: "auto",
  timeoutMs: 600_000,
  workerWarningMs: 10_000,
  maxOutageMs: 300_000,
  traceShare: 0,
  workerDeadlineMs: 60_000,
};
const ORDER: Partial<LoadPlan> = { orchestrator: "Order" };
const emulator: WorkerSituation = {
  backend: "emulator",
  ownWorkersStarted: false,
  seenWorker: false,
  workerlessMs: 0,
  elapsedMs: 120_000,
  warned: false,
  attended: false,
};
const elsewhere: WorkerSituation = { ...emulator, backend: "scheduler" };

describe("the decision about workers", () => {
  test.each<[string, Partial<LoadPlan>, WorkerSituation, string | undefined]>([
    ["auto leaves a hub with a worker alone", {}, emulator, undefined],
    ["auto waits a second", {}, { ...emulator, workerlessMs: 999 }, undefined],
    ["auto starts its own after a second", {}, { ...emulator, workerlessMs: 1_000 }, "start-own"],
    [
      "auto does not wait where the hub was idle before",
      {},
      { ...emulator, workerlessMs: 5_000, elapsedMs: 0 },
      "start-own",
    ],
    [
      "auto starts none for somebody's own orchestration, which they do not host",
      ORDER,
      { ...emulator, workerlessMs: 5_000, warned: true },
      undefined,
    ],
    [
      "auto starts none for a mix of such",
      { orchestrations: [{ orchestrator: "Order", weight: 1 }] },
      { ...emulator, workerlessMs: 5_000, warned: true },
      undefined,
    ],
    ["that nobody hosts it is said at once where that is known", ORDER, { ...emulator, workerlessMs: 1 }, "warn"],
    ["and not while it is not known", ORDER, { ...emulator, workerlessMs: 0 }, undefined],
    ["and ends the run after a while", ORDER, { ...emulator, workerlessMs: 10_000, attended: true }, "give-up"],
    ["elsewhere it is said after a while", ORDER, { ...elsewhere, workerlessMs: 10_000 }, "warn"],
    ["and ends it later, attended too", ORDER, { ...elsewhere, workerlessMs: 60_000, attended: true }, "give-up"],
    [
      "a host that was there and has gone is waited for",
      ORDER,
      { ...emulator, workerlessMs: 20_000, seenWorker: true, warned: true },
      undefined,
    ],
    ["its own are started once", {}, { ...emulator, workerlessMs: 5_000, ownWorkersStarted: true }, undefined],
    ["auto starts none elsewhere", {}, { ...elsewhere, workerlessMs: 5_000 }, undefined],
    ["a number starts at once, anywhere", { workers: 2 }, elsewhere, "start-own"],
    ["0 starts none", { workers: 0 }, { ...emulator, workerlessMs: 5_000 }, undefined],
    ["a person is told after a while", {}, { ...elsewhere, workerlessMs: 10_000 }, "warn"],
    ["once", {}, { ...elsewhere, workerlessMs: 20_000, warned: true }, undefined],
    [
      "an idle hub has not kept this run waiting",
      { workers: 0 },
      { ...emulator, workerlessMs: 99_000, elapsedMs: 5 },
      undefined,
    ],
    ["unattended, the run gives up", {}, { ...elsewhere, workerlessMs: 60_000, warned: true }, "give-up"],
    ["attended, it waits", {}, { ...elsewhere, workerlessMs: 60_000, warned: true, attended: true }, undefined],
  ])("%s", (_, overrides, situation, decision) => {
    expect(decideWorkers({ ...plan, ...overrides }, situation)).toBe(decision);
  });

  test.each([
    ["auto", 8, 1, 1],
    ["auto", 8, 3, 3],
    ["auto", 8, 100, 4],
    ["auto", 2, 100, 2],
    [7, 2, 1, 7],
  ] as const)("%s on %d cores for %d orchestrations are %d", (workers, cores, parallelOrchestrations, count) => {
    expect(ownWorkerCount({ ...plan, workers, parallelOrchestrations }, cores)).toBe(count);
  });
});

describe("how many activities a worker of the run's own runs at a time", () => {
  test.each<[string, LoadPlan["activity"], number]>([
    ["those that do nothing", undefined, 2_000],
    ["those that take their time: all of a large fan-out", { duration: { kind: "constant", ms: 1_000 } }, 20_000],
    ["as far as their payloads fit", { duration: { kind: "constant", ms: 1_000 }, outputBytes: 64_000 }, 1_368],
    ["some, however large their payloads", { inputBytes: 1_000_000, outputBytes: 1_000_000 }, 100],
  ])("%s", (_, activity, most) => {
    expect(ownWorkerActivities({ ...plan, ...(activity && { activity }) })).toBe(most);
  });
});
