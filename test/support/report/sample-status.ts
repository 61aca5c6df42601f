import type { InstanceStatus } from "../../../src/hub/instance-status.js";
import type { RunStatus } from "../../../src/hub/run-status.js";

const CREATED = "2026-06-01T12:00:00.123Z";
/** Twelve seconds after all of them were created. */
export const NOW_MS = Date.parse("2026-06-01T12:00:12.123Z");

export const runningInstance: InstanceStatus = {
  instanceId: "r0123456789ab-00000",
  name: "FanOutFanInOrchestration",
  status: "Running",
  createdAt: CREATED,
  lastUpdatedAt: CREATED,
  progress: { iterationsCompleted: 3, iterations: 10, activitiesCompleted: 15 },
};

export const failedInstance: InstanceStatus = {
  instanceId: "order-1",
  name: "Order",
  status: "Failed",
  createdAt: CREATED,
  lastUpdatedAt: CREATED,
  durationMs: 5_800,
  failure: { type: "TypeError", message: "not\ntoday\u001B[2J" },
};

export const sampleRun: RunStatus = {
  runId: "r0123456789ab",
  createdAt: CREATED,
  lastUpdatedAt: CREATED,
  durationMs: 6_000,
  instances: 1_000,
  ended: 990,
  byStatus: { Completed: 970, Failed: 20, Running: 10 },
  activities: { needed: 50_000, completed: 49_700 },
  throughput: { orchestrationsPerSecond: 161.7, activitiesPerSecond: 8_283 },
};
