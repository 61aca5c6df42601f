import {
  InMemoryOrchestrationBackend,
  OrchestrationStatus,
  TestOrchestrationClient,
  TestOrchestrationWorker,
  type OrchestrationState,
} from "@microsoft/durabletask-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  FAN_OUT_FAN_IN_ACTIVITY,
  FAN_OUT_FAN_IN_ORCHESTRATION,
  parseFanOutFanInOutput,
  parseFanOutFanInProgress,
} from "../../src/orchestrations/fan-out-fan-in-contract.js";
import { FanOutFanInActivity } from "../../src/orchestrations/fan-out-fan-in.js";
import { fanOutFanInWorkload } from "../../src/orchestrations/workload.js";

type Activity = (typeof fanOutFanInWorkload.activities)[string];

const { orchestrators, activities } = fanOutFanInWorkload;
const realActivity = activities[FAN_OUT_FAN_IN_ACTIVITY]!;

const confused: Activity = (context, input) => {
  const result = FanOutFanInActivity(context, input);
  return { ...result, activityNumber: Math.min(result.activityNumber, 1) };
};

const failing: Activity = () => {
  throw new Error("no luck");
};

let stopWorker: (() => Promise<void>) | undefined;

beforeEach(() => {
  // The SDK's in-memory worker logs every work item to the console and takes no logger.
  for (const method of ["info", "log", "warn", "error", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation(() => undefined);
  }
});

afterEach(async () => {
  await stopWorker?.();
  vi.restoreAllMocks();
});

/** Runs the orchestration to its end on the SDK's in-memory backend. */
async function orchestrate(input: unknown, activity: Activity = realActivity): Promise<OrchestrationState> {
  const backend = new InMemoryOrchestrationBackend();
  const worker = new TestOrchestrationWorker(backend);
  worker.addNamedOrchestrator(FAN_OUT_FAN_IN_ORCHESTRATION, orchestrators[FAN_OUT_FAN_IN_ORCHESTRATION]!);
  worker.addNamedActivity(FAN_OUT_FAN_IN_ACTIVITY, activity);
  await worker.start();
  stopWorker = () => worker.stop();
  const client = new TestOrchestrationClient(backend);
  const id = await client.scheduleNewOrchestration(FAN_OUT_FAN_IN_ORCHESTRATION, input);
  return (await client.waitForOrchestrationCompletion(id))!;
}

function outputOf(state: OrchestrationState) {
  expect(state.failureDetails).toBeUndefined();
  expect(state.runtimeStatus).toBe(OrchestrationStatus.COMPLETED);
  return parseFanOutFanInOutput(state.serializedOutput!);
}

function failureOf(state: OrchestrationState) {
  expect(state.runtimeStatus).toBe(OrchestrationStatus.FAILED);
  return { type: state.failureDetails!.errorType, message: state.failureDetails!.message };
}

describe("the output", () => {
  test("it has every result, by iteration and activity from 0, in the contract's field names", async () => {
    const state = await orchestrate({ iterations: 2, parallelActivities: 3 });
    outputOf(state);
    expect(JSON.parse(state.serializedOutput!)).toEqual({
      totalActivities: 6,
      elapsedTimeMs: expect.any(Number),
      averageActivityTimeMs: expect.any(Number),
      results: [0, 1].flatMap((iterationNumber) =>
        [0, 1, 2].map((activityNumber) => ({
          iterationNumber,
          activityNumber,
          processingTimeMs: expect.any(Number),
          output: "Hello World",
        })),
      ),
    });
  });

  test("no input means 10 iterations of 5 activities", async () => {
    expect(outputOf(await orchestrate(undefined)).results).toHaveLength(50);
  });

  test("keys are read in any letter case, and others are ignored", async () => {
    const state = await orchestrate({ Iterations: 3, PARALLELACTIVITIES: 2, parallelOrchestrations: 9 });
    expect(outputOf(state).totalActivities).toBe(6);
  });

  test("results can be left out", async () => {
    const output = outputOf(await orchestrate({ iterations: 1, includeResults: false }));
    expect(output).toEqual({ totalActivities: 5, elapsedTimeMs: expect.any(Number), averageActivityTimeMs: 0 });
  });

  test("the average is over the activities' own times, in whole milliseconds", async () => {
    let calls = 0;
    const timed: Activity = (context, input) => ({
      ...FanOutFanInActivity(context, input),
      processingTimeMs: calls++ % 2 === 0 ? 10 : 15,
    });
    const output = outputOf(await orchestrate({ iterations: 2, parallelActivities: 2 }, timed));
    expect(output.averageActivityTimeMs).toBe(13);
  });
});

describe("custom status", () => {
  test("it tells how far the orchestration is", async () => {
    const state = await orchestrate({ iterations: 3, parallelActivities: 5 });
    expect(parseFanOutFanInProgress(state.serializedCustomStatus!)).toEqual({
      iterationsCompleted: 3,
      iterations: 3,
      activitiesCompleted: 15,
    });
  });

  test("a status that is not this workload's is undefined", () => {
    expect(parseFanOutFanInProgress('{"step":1}')).toBeUndefined();
  });
});

describe("failures", () => {
  test.each([
    [{ iterations: 0 }, "iterations: expected an integer of at least 1, found 0"],
    [{ iterations: "ten" }, 'iterations: expected an integer of at least 1, found "ten"'],
    [{ parallelActivities: 1.5 }, "parallelActivities: expected an integer of at least 1, found 1.5"],
    [{ ITERATIONS: null }, "iterations: expected an integer of at least 1, found null"],
    [{ includeResults: "no" }, 'includeResults: expected true or false, found "no"'],
    [[1], "expected a JSON object, found [1]"],
  ])("the input %j fails the orchestration and says why", async (input, message) => {
    expect(failureOf(await orchestrate(input))).toEqual({
      type: "WorkloadInputError",
      message: `FanOutFanInOrchestration input: ${message}`,
    });
  });

  test("a result that another activity should have brought fails the fan-in", async () => {
    const { type, message } = failureOf(await orchestrate({ iterations: 1, parallelActivities: 3 }, confused));
    expect(type).toBe("FanInError");
    expect(message).toContain("lost (0, 2); doubled (0, 1)");
  });

  test("an activity that throws fails the orchestration with its message", async () => {
    expect(failureOf(await orchestrate({ iterations: 1, parallelActivities: 2 }, failing)).message).toContain(
      "no luck",
    );
  });
});
