import { NoOpLogger, OrchestrationStatus, TaskHubGrpcClient } from "@microsoft/durabletask-js";
import { expect } from "vitest";
import { hubMetadata } from "./hub-inspector.js";
import { Workplace } from "./workplace.js";

const LIMIT = 64 * 1_048_576;

/** How the result of an activity that is larger than a backend takes fails, and such an episode, and how the worker ends. */
export async function failuresOfTooLarge(transport: "link" | "http2" | "grpc") {
  const place = await Workplace.open();
  const worker = place.start(`worker --port 0 --transport ${transport}`);
  await worker.says(/Connected to/u);
  const client = new TaskHubGrpcClient({
    hostAddress: `unix:${place.socket}`,
    logger: new NoOpLogger(),
    metadataGenerator: async () => hubMetadata(),
  });
  const failureOf = async (parallelActivities: number, outputBytes: number): Promise<string | undefined> => {
    const input = { iterations: 1, parallelActivities, activity: { outputBytes } };
    const id = await client.scheduleNewOrchestration("FanOutFanInOrchestration", input);
    const state = await client.waitForOrchestrationCompletion(id, true, 40);
    expect(state?.runtimeStatus).toBe(OrchestrationStatus.FAILED);
    return state?.failureDetails?.message;
  };
  // The result of an activity, and that of an orchestration, whose activities are small enough each.
  const activity = await failureOf(1, 70_000_000);
  const episode = await failureOf(2, 35_000_000);
  await client.stop();
  worker.kill("SIGTERM");
  return { activity, episode, worker: await worker.ended };
}

const ACTIVITY =
  'The result of the activity "FanOutFanInActivity" is too large for the backend: 70,000,\\d{3}.*' +
  `the limit of the emulator is ${LIMIT}`;

export const TOO_LARGE = {
  activity: expect.stringMatching(new RegExp(ACTIVITY, "u")) as string,
  episode: expect.stringMatching(/The episode is too large for the backend: 70,000,\d{3} bytes/u) as string,
  worker: { code: 0, stderr: expect.stringMatching(/^(?![^]*dropped)/u) as string },
};
