import { NoOpLogger, OrchestrationStatus, TaskHubGrpcClient } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { hubMetadata } from "./hub-inspector.js";
import { Workplace } from "./workplace.js";

const LIMIT = 64 * 1_048_576;

test.each(["link", "http2", "grpc"])(
  "what is larger than a backend takes fails and says so, over %s",
  async (transport) => {
    const place = await Workplace.open();
    const worker = place.start(`worker --port 0 --transport ${transport}`);
    await worker.says(/Connected to/u);
    const client = new TaskHubGrpcClient({
      hostAddress: `unix:${place.socket}`,
      logger: new NoOpLogger(),
      metadataGenerator: async () => hubMetadata(),
    });
    const outcomeOf = async (parallelActivities: number, outputBytes: number): Promise<string | undefined> => {
      const input = { iterations: 1, parallelActivities, activity: { outputBytes } };
      const id = await client.scheduleNewOrchestration("FanOutFanInOrchestration", input);
      const state = await client.waitForOrchestrationCompletion(id, true, 40);
      expect(state?.runtimeStatus).toBe(OrchestrationStatus.FAILED);
      return state?.failureDetails?.message;
    };
    // The result of an activity, and that of an orchestration, whose activities are small enough each.
    const activity = await outcomeOf(1, 70_000_000);
    expect(activity).toMatch(
      /The result of the activity "FanOutFanInActivity" is too large for the backend: 70,000,\d{3}/u,
    );
    expect(activity).toContain(`the limit of the emulator is ${LIMIT}`);
    expect(await outcomeOf(2, 35_000_000)).toMatch(/The episode is too large for the backend: 70,000,\d{3} bytes/u);
    await client.stop();
    worker.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining("dropped") });
  },
);
