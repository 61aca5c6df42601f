import { NoOpLogger, OrchestrationStatus, TaskHubGrpcClient } from "@microsoft/durabletask-js";
import { expect } from "vitest";
import { hubMetadata } from "./hub-inspector.js";
import type { Ended } from "./fanout-process.js";
import { Workplace } from "./workplace.js";

const LIMIT = 64 * 1_048_576;

interface TooLarge {
  readonly parallelActivities: number;
  readonly outputBytes: number;
  readonly failure: RegExp;
}

/** The message of a failure that names what is too large, and how the worker ends. */
interface Failed {
  readonly failure: string | undefined;
  readonly worker: Ended;
}

/** Runs an orchestration whose activities have outputs of this size, which is too much for the backend in the end. */
export async function failureOfTooLarge(
  transport: "link" | "http2" | "grpc",
  { parallelActivities, outputBytes }: TooLarge,
): Promise<Failed> {
  const place = await Workplace.open();
  const worker = place.start(`worker --port 0 --transport ${transport}`);
  await worker.says(/Connected to/u);
  const client = new TaskHubGrpcClient({
    hostAddress: `unix:${place.socket}`,
    logger: new NoOpLogger(),
    metadataGenerator: async () => hubMetadata(),
  });
  const input = { iterations: 1, parallelActivities, activity: { outputBytes } };
  const id = await client.scheduleNewOrchestration("FanOutFanInOrchestration", input);
  const state = await client.waitForOrchestrationCompletion(id, true, 40);
  expect(state?.runtimeStatus).toBe(OrchestrationStatus.FAILED);
  await client.stop();
  worker.kill("SIGTERM");
  return { failure: state?.failureDetails?.message, worker: await worker.ended };
}

/** The result of an activity. */
export const ACTIVITY: TooLarge = {
  parallelActivities: 1,
  outputBytes: 70_000_000,
  failure: new RegExp(
    'The result of the activity "FanOutFanInActivity" is too large for the backend: 70,000,\\d{3}.*' +
      `the limit of the emulator is ${LIMIT}`,
    "u",
  ),
};
/** The result of an orchestration, whose activities are small enough each. */
export const EPISODE: TooLarge = {
  parallelActivities: 2,
  outputBytes: 35_000_000,
  failure: /The episode is too large for the backend: 70,000,\d{3} bytes/u,
};

export function expectedOf({ failure }: TooLarge) {
  return {
    failure: expect.stringMatching(failure) as string,
    worker: { code: 0, stderr: expect.stringMatching(/^(?![^]*dropped)/u) as string },
  };
}
