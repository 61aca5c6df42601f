/** The SDK's in-memory test backend, with its defaults: no server, no wire, nothing kept. */
import {
  InMemoryOrchestrationBackend,
  TestOrchestrationClient,
  TestOrchestrationWorker,
  whenAll,
  type ActivityContext,
  type OrchestrationContext,
  type Task,
} from "@microsoft/durabletask-js";
import type { FanInTally } from "#peer-protocol";
import { performActivity } from "#peers/activity";
import {
  NOTHING_SEEN,
  fanIn,
  fanOut,
  type ActivityInput,
  type ActivityResult,
  type OrchestrationInput,
} from "#peers/orchestration";
import { servePeer } from "#peers/serve-peer";

const PATIENCE_S = 3_600;

// Its executors log every event to the console, and take no logger.
for (const level of ["log", "info", "warn", "debug", "error"] as const) console[level] = () => {};

let client: TestOrchestrationClient;
let worker: TestOrchestrationWorker;

async function* orchestrate(
  context: OrchestrationContext,
  input: OrchestrationInput,
): AsyncGenerator<Task<unknown>, FanInTally, ActivityResult[]> {
  let tally = NOTHING_SEEN;
  for (let iteration = 0; iteration < input.iterations; iteration += 1) {
    const tasks = fanOut(input, iteration).map((one) => context.callActivity("activity", one));
    tally = fanIn(tally, input, iteration, yield whenAll(tasks));
  }
  return tally;
}

servePeer({
  async reset() {
    const backend = new InMemoryOrchestrationBackend();
    client = new TestOrchestrationClient(backend);
    worker = new TestOrchestrationWorker(backend);
    worker.addNamedOrchestrator("orchestrate", orchestrate);
    worker.addNamedActivity("activity", (_: ActivityContext, input: unknown) =>
      performActivity(input as ActivityInput),
    );
    await worker.start();
  },
  // It polls without a pause.
  rest: () => worker.stop(),
  async orchestrate(input) {
    const id = await client.scheduleNewOrchestration("orchestrate", input, input.instanceId);
    const state = await client.waitForOrchestrationCompletion(id, true, PATIENCE_S);
    return JSON.parse(state?.serializedOutput ?? JSON.stringify(NOTHING_SEEN)) as FanInTally;
  },
});
