/** The workload on the SDK's in-memory test backend: prints activities per second. See `throughput.ts`. */
import {
  InMemoryOrchestrationBackend,
  TestOrchestrationClient,
  TestOrchestrationWorker,
} from "@microsoft/durabletask-js";
import { FAN_OUT_FAN_IN_ORCHESTRATION } from "../dist/orchestrations/fan-out-fan-in-contract.js";
import { fanOutFanInWorkload } from "../dist/orchestrations/workload.js";

const [orchestrations = 1, iterations = 1, parallelActivities = 1] = process.argv.slice(2).map(Number);
const MAX_HISTORY = 1_000_000;

// Its executors log every event to the console, and take no logger.
const { log } = console;
for (const level of ["log", "info", "warn", "debug", "error"] as const) {
  console[level] = () => {};
}
const backend = new InMemoryOrchestrationBackend(MAX_HISTORY);
const client = new TestOrchestrationClient(backend);
const worker = new TestOrchestrationWorker(backend);
for (const [name, orchestrator] of Object.entries(fanOutFanInWorkload.orchestrators)) {
  worker.addNamedOrchestrator(name, orchestrator);
}
for (const [name, activity] of Object.entries(fanOutFanInWorkload.activities)) {
  worker.addNamedActivity(name, activity);
}
await worker.start();
const startedMs = performance.now();
const input = { iterations, parallelActivities, includeResults: false };
const ids = await Promise.all(
  Array.from({ length: orchestrations }, () => client.scheduleNewOrchestration(FAN_OUT_FAN_IN_ORCHESTRATION, input)),
);
for (const id of ids) {
  const state = await client.waitForOrchestrationCompletion(id, true, 600);
  const output = JSON.parse(state?.serializedOutput ?? "{}") as { totalActivities?: number };
  if (output.totalActivities !== iterations * parallelActivities) {
    throw new Error(`Expected ${iterations * parallelActivities} activities, found ${output.totalActivities}`);
  }
}
const seconds = (performance.now() - startedMs) / 1000;
log((orchestrations * iterations * parallelActivities) / seconds);
process.exit(0);
