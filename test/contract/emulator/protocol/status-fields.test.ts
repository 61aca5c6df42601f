import type { OrchestrationContext } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { scheduleTask, stringValue, timestampOf } from "../../../support/emulator/raw-connection.js";
import { failed } from "../../../support/emulator/protocol-actions.js";
import { Gate, ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

async function* reports(context: OrchestrationContext): Steps {
  context.setCustomStatus({ step: 1 });
  yield context.waitForExternalEvent("go");
  context.setCustomStatus({ step: 2 });
  return "reported";
}

async function* works(context: OrchestrationContext): Steps {
  return yield context.callActivity("gate");
}

const tellsVersion = ({ version }: OrchestrationContext): string => version;

const us = (time: { seconds: number; nanos: number } | undefined): number =>
  (time?.seconds ?? 0) * 1e6 + (time?.nanos ?? 0) / 1000;

const fails = (): never => {
  const error = new Error("on top", { cause: new TypeError("below", { cause: new RangeError("at the bottom") }) });
  error.name = "Custom";
  throw error;
};

const work = { orchestrators: { reports, tellsVersion, fails } };

test.each(WITH_AND_WITHOUT_RESTART)(
  "a custom status is seen while the orchestration runs, and when it has ended%s",
  async (_, restarts) => {
    await hub.worker(work);
    await hub.client.scheduleNewOrchestration("reports", undefined, "instance");
    await hub.begun("instance");
    if (restarts) await hub.restart(work);
    expect((await hub.client.getOrchestrationState("instance"))?.serializedCustomStatus).toBe('{"step":1}');
    await hub.client.raiseOrchestrationEvent("instance", "go", 1);
    await hub.end("instance");
    if (restarts) await hub.restart();
    expect((await hub.client.getOrchestrationState("instance"))?.serializedCustomStatus).toBe('{"step":2}');
  },
);

test.each(WITH_AND_WITHOUT_RESTART)("tags and version are those of the start%s", async (_, restarts) => {
  const options = { instanceId: "instance", tags: { team: "red", cost: "low" }, version: "1.2.3" };
  await hub.client.scheduleNewOrchestration("tellsVersion", undefined, options);
  if (restarts) await hub.restart();
  expect((await hub.client.getOrchestrationState("instance"))?.tags).toEqual(options.tags);
  await hub.worker(work);
  expect(await hub.end("instance")).toMatchObject({ output: "1.2.3" });
  expect((await hub.client.getOrchestrationState("instance"))?.tags).toEqual(options.tags);
  expect(await hub.raw.state("instance")).toMatchObject({ version: { value: "1.2.3" } });
});

test("the times of an instance are in order, and it has one of completion when it is complete", async () => {
  await hub.raw.start("pending");
  const pending = await hub.raw.state("pending");
  expect(pending?.completedtimestamp).toBeUndefined();
  expect(pending?.scheduledstarttimestamp).toBeUndefined();
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("tellsVersion", undefined, "instance");
  await hub.end("instance");
  const state = (await hub.raw.state("instance"))!;
  expect(us(state.createdtimestamp)).toBeGreaterThan(0);
  expect(us(state.completedtimestamp)).toBeGreaterThanOrEqual(us(state.createdtimestamp));
  expect(us(state.lastupdatedtimestamp)).toBe(us(state.completedtimestamp));
});

test("the time of a scheduled start is in the state and in the history", async () => {
  const startMs = Date.now() + 3_600_000;
  await hub.raw.start("instance", "works", (request) => {
    request.setScheduledstarttimestamp(timestampOf(startMs));
  });
  const scheduledstarttimestamp = timestampOf(startMs).toObject();
  expect(await hub.raw.state("instance")).toMatchObject({ scheduledstarttimestamp });
  expect(await hub.raw.history("instance")).toMatchObject([{ executionstarted: { scheduledstarttimestamp } }]);
});

test("a state has no payloads where none are asked for", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("reports", "input", "instance");
  await hub.client.raiseOrchestrationEvent("instance", "go", 1);
  await hub.end("instance");
  const bare = await hub.client.getOrchestrationState("instance", false);
  expect(bare?.serializedInput).toBeUndefined();
  expect(bare?.serializedOutput).toBeUndefined();
  const full = await hub.client.getOrchestrationState("instance", true);
  expect(full?.serializedInput).toBe('"input"');
  expect(full?.serializedOutput).toBe('"reported"');
});

test.each(WITH_AND_WITHOUT_RESTART)(
  "the failure of an orchestration is kept with all that caused it%s",
  async (_, restarts) => {
    await hub.worker(work);
    await hub.client.scheduleNewOrchestration("fails", undefined, "instance");
    expect(await hub.end("instance")).toMatchObject({
      status: "FAILED",
      failure: { errorType: "Custom", message: "on top" },
    });
    if (restarts) await hub.restart();
    expect((await hub.raw.state("instance"))?.failuredetails).toMatchObject({
      errortype: "Custom",
      errormessage: "on top",
      stacktrace: { value: expect.stringContaining("on top") },
      innerfailure: {
        errortype: "TypeError",
        errormessage: "below",
        innerfailure: { errortype: "RangeError", errormessage: "at the bottom" },
      },
    });
  },
);

test("failure details are the worker's, field by field", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("instance");
  const inner = new pb.TaskFailureDetails();
  inner.setErrortype("Inner");
  inner.setIsnonretriable(true);
  const details = new pb.TaskFailureDetails();
  details.setErrortype("Outer");
  details.setErrormessage("Größe");
  details.setStacktrace(stringValue("at nowhere"));
  details.setInnerfailure(inner);
  await hub.raw.completeEpisode(await worker.item(), [failed(1, details)]);
  expect((await hub.raw.state("instance"))?.failuredetails).toEqual(details.toObject());
  const [completed] = (await hub.raw.history("instance")).flatMap((event) => event.executioncompleted ?? []);
  expect(completed?.failuredetails).toEqual(details.toObject());
});

test("the failure of an activity comes to its orchestrator as the worker sent it", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("instance");
  await hub.raw.completeEpisode(await worker.item(), [scheduleTask(1)]);
  const { activityrequest, completiontoken } = await worker.item();
  const inner = new pb.TaskFailureDetails();
  inner.setErrortype("Inner");
  const details = new pb.TaskFailureDetails();
  details.setErrortype("Outer");
  details.setInnerfailure(inner);
  const response = new pb.ActivityResponse();
  response.setInstanceid("instance");
  response.setTaskid(activityrequest?.taskid ?? 0);
  response.setCompletiontoken(completiontoken);
  response.setFailuredetails(details);
  await hub.raw.call("CompleteActivityTask", response, pb.CompleteTaskResponse);
  expect((await worker.item()).orchestratorrequest?.neweventsList[1]?.taskfailed).toEqual({
    taskscheduledid: 1,
    failuredetails: details.toObject(),
  });
});

test("an instance says that it runs once it has begun, and that it is pending before", async () => {
  const gate = new Gate();
  await hub.client.scheduleNewOrchestration("works", undefined, "instance");
  expect(await hub.status("instance")).toBe("PENDING");
  await hub.worker({ orchestrators: { works }, activities: { gate: gate.activity } });
  await gate.reached;
  expect(await hub.status("instance")).toBe("RUNNING");
  gate.open("done");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: "done", failure: undefined });
});
