/**
 * BullMQ: a flow for each iteration, one parent with a child for each activity; the parent checks the fan-in and adds the
 * next iteration. A queue with dependencies: nothing is replayed.
 */
import { FlowProducer, Worker } from "bullmq";
import { Redis } from "ioredis";
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

const CONCURRENCY = 100;
const OPTIONS = { removeOnComplete: true };

interface Iteration {
  readonly input: OrchestrationInput;
  readonly iteration: number;
  /** Of the iterations before it. */
  readonly tally: FanInTally;
}

const connect = (): Redis =>
  new Redis({ host: "127.0.0.1", port: Number(process.env["REDIS_PORT"]), maxRetriesPerRequest: null });
const admin = connect();
const flows = new FlowProducer({ connection: connect() });
const waiting = new Map<string, PromiseWithResolvers<FanInTally>>();

const options = { concurrency: CONCURRENCY };
const activities = new Worker<ActivityInput, ActivityResult>("activities", ({ data }) => performActivity(data), {
  connection: connect(),
  ...options,
});
const iterations = new Worker<Iteration, FanInTally>(
  "iterations",
  async (job) => {
    const { input, iteration } = job.data;
    const results = Object.values(await job.getChildrenValues<ActivityResult>());
    const tally = fanIn(job.data.tally, input, iteration, results);
    if (iteration + 1 < input.iterations) await add({ input, iteration: iteration + 1, tally });
    return tally;
  },
  { connection: connect(), ...options },
);
// It has ended when Redis holds the result of its last iteration.
iterations.on("completed", ({ data: { input, iteration } }, tally) => {
  if (iteration + 1 === input.iterations) waiting.get(input.instanceId)?.resolve(tally);
});
iterations.on("failed", (job, error) => job && waiting.get(job.data.input.instanceId)?.reject(error));
for (const emitter of [activities, iterations, flows]) emitter.on("error", (error) => console.error(error));

async function add(data: Iteration): Promise<void> {
  const children = fanOut(data.input, data.iteration).map((input) => ({
    name: "activity",
    queueName: "activities",
    data: input,
    opts: OPTIONS,
  }));
  await flows.add({ name: "iteration", queueName: "iterations", data, opts: OPTIONS, children });
}

servePeer({
  async reset() {
    await admin.flushall();
  },
  async orchestrate(input) {
    const end = Promise.withResolvers<FanInTally>();
    waiting.set(input.instanceId, end);
    await add({ input, iteration: 0, tally: NOTHING_SEEN });
    return end.promise.finally(() => waiting.delete(input.instanceId));
  },
});
