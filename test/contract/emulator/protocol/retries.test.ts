import {
  HistoryEventType,
  RetryPolicy,
  TaskFailedError,
  type OrchestrationContext,
  type RetryContext,
  type TaskOptions,
} from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

const TAGS = [["kind", "flaky"]];

const upToThree = ({ lastAttemptNumber }: RetryContext): boolean => lastAttemptNumber < 3;
const never = (): boolean => false;
/** How tasks are tried again, by the name of the orchestrator that has it so. */
const RETRIES = {
  policy: new RetryPolicy({ maxNumberOfAttempts: 3, firstRetryIntervalInMilliseconds: 1, backoffCoefficient: 2 }),
  slowPolicy: new RetryPolicy({ maxNumberOfAttempts: 3, firstRetryIntervalInMilliseconds: 300 }),
  selectivePolicy: new RetryPolicy({
    maxNumberOfAttempts: 3,
    firstRetryIntervalInMilliseconds: 1,
    handleFailure: ({ errorType }) => errorType !== "Hopeless",
  }),
  handlerAtOnce: upToThree,
  handlerLater: (context: RetryContext): number | boolean => upToThree(context) && 1,
  asyncHandler: (context: RetryContext): Promise<boolean> => Promise.resolve(upToThree(context)),
  handlerNever: never,
} satisfies Record<string, TaskOptions["retry"]>;

const activityCallers = Object.fromEntries(
  Object.entries(RETRIES).map(([name, retry]) => [
    name,
    async function* caller(context: OrchestrationContext): Steps {
      try {
        return yield context.callActivity("flaky", "input", { retry, tags: { kind: "flaky" } });
      } catch (error) {
        const { errorType, message } = (error as TaskFailedError).details;
        return { caught: error instanceof TaskFailedError, errorType, message };
      }
    },
  ]),
);

const childCallers = Object.fromEntries(
  Object.entries(RETRIES).map(([name, retry]) => [
    `${name}OfChild`,
    async function* caller(context: OrchestrationContext): Steps {
      return yield context.callSubOrchestrator("flaky", "input", { instanceId: "child", retry });
    },
  ]),
);

/** Fails until the given attempt; each attempt is told of in `inputs`. */
class Flaky {
  readonly #goodAttempt: number;
  readonly #errorName: string;
  readonly inputs: unknown[] = [];

  constructor(goodAttempt: number, errorName = "Transient") {
    this.#goodAttempt = goodAttempt;
    this.#errorName = errorName;
  }

  readonly run = (_: unknown, input: unknown): string => {
    this.inputs.push(input);
    if (this.inputs.length >= this.#goodAttempt) return `attempt ${this.inputs.length}`;

    const error = new Error(`attempt ${this.inputs.length} failed`);
    error.name = this.#errorName;
    throw error;
  };
}

test.each([
  ["policy", 2],
  ["handlerLater", 2],
  ["handlerAtOnce", 0],
  ["asyncHandler", 0],
])("a %s tries an activity again until it succeeds, by %d timers", async (name, timers) => {
  const flaky = new Flaky(3);
  await hub.worker({ orchestrators: activityCallers, activities: { flaky: flaky.run } });
  await hub.client.scheduleNewOrchestration(name, undefined, "instance");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: "attempt 3" });
  expect(flaky.inputs).toEqual(["input", "input", "input"]);
  expect(await hub.count("instance", HistoryEventType.TaskFailed)).toBe(2);
  expect(await hub.count("instance", HistoryEventType.TimerFired)).toBe(timers);
  const scheduled = (await hub.raw.history("instance")).flatMap((event) => event.taskscheduled ?? []);
  expect(scheduled.map(({ tagsMap }) => tagsMap)).toEqual([TAGS, TAGS, TAGS]);
});

test.each(["policy", "handlerAtOnce", "handlerLater"])(
  "a %s that gives up lets the last failure through",
  async (name) => {
    const flaky = new Flaky(4);
    await hub.worker({ orchestrators: activityCallers, activities: { flaky: flaky.run } });
    await hub.client.scheduleNewOrchestration(name, undefined, "instance");
    expect((await hub.end("instance")).output).toEqual({
      caught: true,
      errorType: "Transient",
      message: "attempt 3 failed",
    });
    expect(flaky.inputs).toHaveLength(3);
  },
);

test.each(["selectivePolicy", "handlerNever"])("a %s does not try again what it does not want to", async (name) => {
  const flaky = new Flaky(3, "Hopeless");
  await hub.worker({ orchestrators: activityCallers, activities: { flaky: flaky.run } });
  await hub.client.scheduleNewOrchestration(name, undefined, "instance");
  expect((await hub.end("instance")).output).toMatchObject({ errorType: "Hopeless", message: "attempt 1 failed" });
  expect(flaky.inputs).toHaveLength(1);
});

test.each(WITH_AND_WITHOUT_RESTART)("a retry waits for its timer%s", async (_, restarts) => {
  const flaky = new Flaky(2);
  const work = { orchestrators: activityCallers, activities: { flaky: flaky.run } };
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("slowPolicy", undefined, "instance");
  await expect.poll(() => hub.count("instance", HistoryEventType.TimerCreated)).toBe(1);
  if (restarts) await hub.restart(work);
  expect(await hub.end("instance")).toMatchObject({ output: "attempt 2" });
  expect(await hub.count("instance", HistoryEventType.TimerFired)).toBe(1);
});

test.each(["policyOfChild", "handlerAtOnceOfChild", "handlerLaterOfChild"])(
  "a sub-orchestration is tried again under the id it has by %s",
  async (name) => {
    const flaky = new Flaky(3);
    await hub.worker({ orchestrators: { ...childCallers, flaky: flaky.run } });
    await hub.client.scheduleNewOrchestration(name, undefined, "parent");
    expect(await hub.end("parent")).toMatchObject({ status: "COMPLETED", output: "attempt 3" });
    expect(await hub.end("child")).toMatchObject({ status: "COMPLETED", output: "attempt 3" });
    expect(flaky.inputs).toEqual(["input", "input", "input"]);
    expect(await hub.count("parent", HistoryEventType.SubOrchestrationInstanceFailed)).toBe(2);
  },
);

test("a sub-orchestration that fails each time fails its parent in the end", async () => {
  const flaky = new Flaky(4);
  await hub.worker({ orchestrators: { ...childCallers, flaky: flaky.run } });
  await hub.client.scheduleNewOrchestration("policyOfChild", undefined, "parent");
  expect(await hub.end("parent")).toMatchObject({
    status: "FAILED",
    failure: { message: expect.stringContaining("attempt 3 failed") },
  });
});
