import { hostname } from "node:os";
import { expect, test } from "vitest";
import { parsePlan } from "../../../src/plan/plan.js";
import type { Soak, SoakInterval, SoakLeg } from "../../../src/result/soak-schema.js";
import { costWithLegs, legsSoFar } from "../../../src/soak/legs-so-far.js";

const plan = parsePlan({
  iterations: "1",
  parallelActivities: "1",
  workers: "auto",
  timeout: "10m",
  rate: "10/s",
  duration: "100s",
  warmup: "5s",
});
const leg: SoakLeg = {
  number: 1,
  runId: "mine.1",
  startedAt: "2020-01-01T00:00:00.000Z",
  generator: { host: hostname(), pid: process.pid },
  ended: "interrupted",
  loadMs: 40_000,
  started: 450,
};
const checkpoint: SoakInterval = {
  leg: 1,
  endedAt: new Date().toISOString(),
  elapsedMs: 25e3,
  lengthMs: 1e3,
  started: 250,
  completed: 10,
  failed: 0,
  inFlight: 0,
  rpcErrors: {},
};

function soakOf(...legs: readonly SoakLeg[]): Soak {
  return {
    schemaVersion: 1,
    soakId: "mine",
    startedAt: leg.startedAt,
    durationMs: 1e5,
    everyMs: 1e3,
    learnMs: 2e4,
    ratePerSecond: 10,
    backend: "b",
    taskHub: "t",
    flags: {},
    ended: "running",
    legs,
    alarms: [],
  };
}

const running: SoakLeg = { ...leg, ended: "running", loadMs: 0, started: 0 };
const account = { instances: 253, byStatus: {}, missing: { total: 0, first: [] }, afterCheckpoint: 3 };

test.each<[what: string, legs: readonly SoakLeg[], starts: number, mostStarts: number]>([
  ["nothing before", [], 1_050, 1_050],
  // Each leg sends the 50 starts of the warm-up.
  ["a leg that was interrupted", [leg], 450 + 50 + 600, 1_100],
  ["a leg that was killed", [running], 250 + 50 + 800, 1_100 + 36],
  ["a killed leg that is accounted for", [{ ...leg, ended: "killed", started: 250, account }], 253 + 50 + 600, 903],
  ["all of it", [{ ...leg, ended: "done", loadMs: 100_000, started: 1_050 }], 1_050, 1_050],
])("a soak with %s costs its legs, a warm-up and what is left", (_, legs, starts, mostStarts) => {
  const soak = soakOf(...legs);
  const soFar = legsSoFar(soak, new Map([[1, checkpoint]]), plan);
  expect(costWithLegs(plan, soak, soFar)).toMatchObject({ starts, mostStarts });
});

test("a leg of another host may run while its checkpoints are fresh", () => {
  const soak = soakOf({ ...running, generator: { host: "elsewhere", pid: 1 } });
  const found = (endedAt: string) => legsSoFar(soak, new Map([[1, { ...checkpoint, endedAt }]]), plan);
  expect(() => found(checkpoint.endedAt)).toThrow("process 1 on elsewhere still makes the load of this soak");
  expect(found(leg.startedAt).legs).toMatchObject([{ ended: "killed", loadMs: 20_000, started: 250 }]);
});
