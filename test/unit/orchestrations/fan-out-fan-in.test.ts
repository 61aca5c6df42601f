import {
  InMemoryOrchestrationBackend,
  OrchestrationStatus,
  TestOrchestrationClient,
  TestOrchestrationWorker,
  type OrchestrationState,
  type TOrchestrator,
} from "@microsoft/durabletask-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  FAN_OUT_FAN_IN_ACTIVITY,
  FAN_OUT_FAN_IN_ORCHESTRATION,
  FAN_OUT_PART_ORCHESTRATION,
  parseFanOutFanInOutput,
  parseFanOutFanInProgress,
} from "../../../src/orchestrations/fan-out-fan-in-contract.js";
import { FanOutFanInActivity } from "../../../src/orchestrations/fan-out-fan-in.js";
import { fanOutFanInWorkload } from "../../../src/orchestrations/workload.js";

type Activity = (typeof fanOutFanInWorkload.activities)[string];

const { orchestrators, activities } = fanOutFanInWorkload;
const realActivity = activities[FAN_OUT_FAN_IN_ACTIVITY]!;

const confused: Activity = async (context, input) => {
  const result = await FanOutFanInActivity(context, input);
  return { ...result, activityNumber: Math.min(result.activityNumber, 1) };
};

const failing: Activity = () => {
  throw new Error("no luck");
};

let stopWorker: (() => Promise<void>) | undefined;

beforeEach(() => {
  // The SDK's in-memory worker logs every work item to the console and takes no logger.
  for (const method of ["info", "log", "warn", "error", "debug"] as const)
    vi.spyOn(console, method).mockImplementation(() => undefined);
});

afterEach(async () => {
  await stopWorker?.();
  vi.restoreAllMocks();
});

/** Runs the orchestration to its end on the SDK's in-memory backend. */
async function orchestrate(
  input: unknown,
  activity: Activity = realActivity,
  orchestrator: TOrchestrator = orchestrators[FAN_OUT_FAN_IN_ORCHESTRATION]!,
): Promise<OrchestrationState> {
  const backend = new InMemoryOrchestrationBackend();
  const worker = new TestOrchestrationWorker(backend);
  worker.addNamedOrchestrator(FAN_OUT_FAN_IN_ORCHESTRATION, orchestrator);
  worker.addNamedOrchestrator(FAN_OUT_PART_ORCHESTRATION, orchestrators[FAN_OUT_PART_ORCHESTRATION]!);
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
    expect(output).toEqual({
      totalActivities: 5,
      elapsedTimeMs: expect.any(Number),
      averageActivityTimeMs: expect.any(Number),
    });
  });

  test("the average is over the activities' own times, in whole milliseconds", async () => {
    let calls = 0;
    const timed: Activity = async (context, input) => ({
      ...(await FanOutFanInActivity(context, input)),
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

describe("the cost of activities", () => {
  test("their inputs and outputs are as much larger as asked", async () => {
    const inputs: unknown[] = [];
    const seen: Activity = (context, input) => {
      inputs.push(input);
      return FanOutFanInActivity(context, input);
    };
    const activity = { inputBytes: 100, outputBytes: 300 };
    const { results } = outputOf(await orchestrate({ iterations: 1, parallelActivities: 2, activity }, seen));
    expect(inputs).toEqual([
      { iterationNumber: 0, activityNumber: 0, outputBytes: 300, padding: "x".repeat(100) },
      { iterationNumber: 0, activityNumber: 1, outputBytes: 300, padding: "x".repeat(100) },
    ]);
    expect(results?.map(({ padding }) => padding?.length)).toEqual([300, 300]);
  });

  test("they take the time that was drawn for them", async () => {
    const activity = { duration: { kind: "constant", ms: 30 } };
    const { results } = outputOf(await orchestrate({ iterations: 1, parallelActivities: 3, activity }));
    // A timer may fire up to a millisecond early by the clock that measures it.
    expect(results?.every(({ processingTimeMs }) => processingTimeMs >= 29)).toBe(true);
  });

  test("one that always fails fails the orchestration, retries or not", async () => {
    const activity = { failureRate: 1, retries: 1 };
    const { message } = failureOf(await orchestrate({ iterations: 1, parallelActivities: 1, activity }));
    expect(message).toContain("Activity (0, 0) fails as asked, at rate 1");
  });

  test("one that fails at first is tried again, and counted once", async () => {
    let calls = 0;
    const flaky: Activity = (context, input) => {
      calls += 1;
      return calls === 1 ? failing(context, input) : FanOutFanInActivity(context, input);
    };
    const input = { iterations: 2, parallelActivities: 2, activity: { retries: 3 } };
    expect(outputOf(await orchestrate(input, flaky)).results).toHaveLength(4);
    expect(calls).toBe(5);
  });
});

describe("continue-as-new", () => {
  test.each([
    [1, 5],
    [2, 3],
    [5, 1],
    [9, 1],
  ])("every %d of 5 iterations makes %d executions, and the output is that of one", async (every, executions) => {
    let starts = 0;
    const counted: TOrchestrator = (context, input) => {
      if (!context.isReplaying) starts += 1;

      return orchestrators[FAN_OUT_FAN_IN_ORCHESTRATION]!(context, input);
    };
    const input = { iterations: 5, parallelActivities: 2, continueAsNewEvery: every };
    const state = await orchestrate(input, realActivity, counted);
    const { results, totalActivities } = outputOf(state);
    expect(totalActivities).toBe(10);
    expect(results?.map(({ iterationNumber, activityNumber }) => [iterationNumber, activityNumber])).toEqual(
      [0, 1, 2, 3, 4].flatMap((iteration) => [
        [iteration, 0],
        [iteration, 1],
      ]),
    );
    expect(starts).toBe(executions);
    expect(parseFanOutFanInProgress(state.serializedCustomStatus!)).toMatchObject({ iterationsCompleted: 5 });
  });

  test.each([
    [{ iterations: 3, parallelActivities: 2 }, [2, 4]],
    [{ iterations: 2, parallelActivities: 4, subOrchestrations: 2 }, [4]],
  ])("carries how many activities were tried again, however often an execution is replayed: %j", async (size, sums) => {
    const failed = new Set<string>();
    let calls = 0;
    const flaky: Activity = (context, input) => {
      calls += 1;
      const place = JSON.stringify(input);
      if (failed.has(place)) return FanOutFanInActivity(context, input);
      failed.add(place);
      return failing(context, input);
    };
    const carried: unknown[] = [];
    const watched: TOrchestrator = (context, input: { readonly carried?: { readonly retries?: number } }) => {
      carried.push(input.carried?.retries);
      return orchestrators[FAN_OUT_FAN_IN_ORCHESTRATION]!(context, input);
    };
    await orchestrate({ ...size, continueAsNewEvery: 1, activity: { retries: 2 } }, flaky, watched);
    expect(calls).toBe(2 * size.iterations * size.parallelActivities);
    expect([...new Set(carried)]).toEqual([undefined, ...sums]);
  });
});

function placeOf({ iterationNumber, activityNumber }: { iterationNumber: number; activityNumber: number }): string {
  return `${iterationNumber}, ${activityNumber}`;
}

describe("with sub-orchestrations and timers", () => {
  test.each([1, 2, 7])("the results are those of one fan-out, with %d sub-orchestrations in each", async (count) => {
    const input = { iterations: 2, parallelActivities: 7 };
    const plain = outputOf(await orchestrate(input));
    const divided = { ...input, subOrchestrations: count, timer: { duration: { kind: "constant", ms: 1 } } };
    const { results, ...figures } = outputOf(await orchestrate(divided));
    expect(results?.map(placeOf)).toEqual(plain.results?.map(placeOf));
    expect(figures.totalActivities).toBe(14);
  });

  test("an activity lost in a part fails the fan-in of the whole", async () => {
    const input = { iterations: 1, parallelActivities: 6, subOrchestrations: 2 };
    const { type, message } = failureOf(await orchestrate(input, confused));
    expect(type).toBe("ActivitiesFailed");
    expect(message).toMatch(
      /^2 of 2 parts of iteration 0 failed, the first with: Fan-in of iteration 0: .* lost \(0, 2\)/u,
    );
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
