import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Completion, Start } from "../../src/stats/completion.js";
import { Recorder, type RunEnd } from "../../src/stats/recorder.js";
import type { ResultPlan } from "../../src/stats/run-result.js";

const plan: ResultPlan = {
  iterations: 10,
  parallelActivities: 5,
  parallelOrchestrations: 4,
  workers: "auto",
  timeoutMs: 600_000,
};
const end: RunEnd = {
  startedMs: 1_000,
  endedMs: 6_000,
  interrupted: false,
  environment: {
    fanoutVersion: "0.0.0",
    sdkVersion: "0.0.0",
    node: "24.0.0",
    platform: "linux",
    cpu: { model: "a cpu", cores: 2 },
    backend: { kind: "emulator", name: "the embedded emulator" },
    taskHub: "default",
    ownWorkers: 1,
    hub: { unfinished: 0, more: false, runs: [] },
  },
  activitiesCompleted: 0,
  rpcErrors: {},
  stuck: [],
};
const start: Start = { instanceId: "a-00000", intendedMs: 1_000, sentMs: 1_010, acceptedMs: 1_030 };
const completed: Completion = {
  start,
  noticedMs: 3_000,
  outcome: "completed",
  server: { createdMs: 500_000, completedMs: 501_500 },
  failure: undefined,
};

function record(completions: readonly Completion[], unfinished: readonly Start[] = []): Recorder {
  const recorder = new Recorder(plan);
  for (const completion of completions) {
    recorder.addStart(completion.start);
    recorder.add(completion);
  }
  for (const start of unfinished) recorder.addStart(start);
  return recorder;
}

describe("a recorder", () => {
  test("accounts for every start", () => {
    const outcomes = fc.array(fc.constantFrom("completed", "failed", "terminated", "unfinished" as const));
    fc.assert(
      fc.property(outcomes, (kinds) => {
        const recorder = new Recorder(plan);
        for (const outcome of kinds) {
          recorder.addStart(start);
          if (outcome !== "unfinished") recorder.add({ ...completed, outcome });
        }
        const { started, ...rest } = recorder.close("run", end).counts.orchestrations;
        expect(started).toBe(kinds.length);
        expect(rest.completed + rest.failed + rest.terminated + rest.unfinished).toBe(started);
        expect(rest.unfinished).toBe(kinds.filter((kind) => kind === "unfinished").length);
      }),
    );
  });

  test("measures each latency on one clock", () => {
    const { latencyMs } = record([completed]).close("run", end);
    expect(latencyMs.response).toEqual({ count: 1, mean: 2_000, max: 2_000 });
    expect(latencyMs.service).toMatchObject({ max: 1_970 });
    expect(latencyMs.startRpc).toMatchObject({ max: 20 });
    expect(latencyMs.slip).toMatchObject({ max: 10 });
    expect(latencyMs.server).toMatchObject({ max: 1_500 });
  });

  test("divides what completed by the makespan", () => {
    const { throughput } = record([completed, { ...completed, noticedMs: 5_000 }]).close("run", end);
    expect(throughput).toEqual({
      makespanMs: 4_000,
      orchestrationsPerSecond: 0.5,
      activitiesPerSecond: 25,
      actionsPerSecond: 50.5,
    });
  });

  test("leaves out what was not measured", () => {
    const result = record([], [{ ...start, acceptedMs: undefined }]).close("run", end);
    expect(result).not.toHaveProperty("throughput");
    expect(result).not.toHaveProperty("failures");
    expect(Object.keys(result.latencyMs)).toEqual(["slip"]);
  });

  test("never counts fewer activities than the outputs account for", () => {
    const recorder = record([completed]);
    expect(recorder.close("run", { ...end, activitiesCompleted: 3 }).counts.activities).toEqual({
      needed: 200,
      completed: 50,
    });
    expect(recorder.close("run", { ...end, activitiesCompleted: 60 }).counts.activities?.completed).toBe(60);
  });

  test("takes no latency from what failed or was cut off", () => {
    const others = (["failed", "terminated"] as const).map((outcome): Completion => ({ ...completed, outcome }));
    expect(record(others).close("run", end).latencyMs).not.toHaveProperty("response");
  });

  test("shows no percentile that the terminated and unfinished might move", () => {
    const many = Array.from({ length: 900 }, () => completed);
    const cutOff = Array.from({ length: 50 }, (): Completion => ({ ...completed, outcome: "terminated" }));
    const { response, startRpc } = record(
      [...many, ...cutOff],
      Array.from({ length: 50 }, () => start),
    ).close("run", end).latencyMs;
    expect(response).toHaveProperty("p50");
    expect(response).not.toHaveProperty("p90");
    expect(startRpc).toHaveProperty("p90");
  });

  test("lists the first ten failures and counts all", () => {
    const failed = Array.from({ length: 12 }, (_, index): Completion => ({
      ...completed,
      start: { ...start, instanceId: `a-${index}` },
      outcome: "failed",
      failure: { type: "FanInError", message: "lost" },
    }));
    const { failures } = record(failed).close("run", end);
    expect(failures?.total).toBe(12);
    expect(failures?.first).toHaveLength(10);
    expect(failures?.first[0]).toEqual({ instanceId: "a-0", type: "FanInError", message: "lost" });
  });

  test("lists at most a hundred of the unfinished and counts all", () => {
    const unfinished = Array.from({ length: 150 }, () => start);
    const stuck = unfinished.map(() => ({ instanceId: "a-00000", status: "Pending" }));
    const result = record([], unfinished).close("run", { ...end, stuck });
    expect(result.stuck?.total).toBe(150);
    expect(result.stuck?.first).toHaveLength(100);
  });

  test("is plain JSON", () => {
    const result = record([completed], [start]).close("run", end);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});
