import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import {
  complete,
  continueAsNew,
  scheduleTask,
  stringValue,
  timestampOf,
  type RawConnection,
  type RawWorker,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";
import { createChild } from "../../../support/emulator/protocol-actions.js";

let served: ServedEmulator;
let hub: RawConnection;
let worker: RawWorker;

beforeEach(async () => {
  served = await ServedEmulator.start();
  await connect();
});

afterEach(() => {
  served.close();
});

async function connect(): Promise<void> {
  hub = served.connect();
  worker = await hub.worker();
}

function traceContext(span: string): pb.TraceContext {
  const context = new pb.TraceContext();
  context.setTraceparent(`00-0af7651916cd43dd8448eb211c80319c-${span}-01`);
  context.setSpanid(span);
  context.setTracestate(stringValue("vendor=1"));
  return context;
}

function orchestrationTrace(span: string): pb.OrchestrationTraceContext {
  const context = new pb.OrchestrationTraceContext();
  context.setSpanid(stringValue(span));
  context.setSpanstarttime(timestampOf(1_764_000_000_123));
  return context;
}

async function raise(): Promise<void> {
  await served.client().raiseOrchestrationEvent("instance", "go");
}

async function completeWith(
  item: WorkItem,
  span: string | undefined,
  ...actions: pb.OrchestratorAction[]
): Promise<void> {
  await hub.completeEpisode(item, actions, (response) => {
    response.setOrchestrationtracecontext(span === undefined ? undefined : orchestrationTrace(span));
  });
}

/** The trace context that the next episode comes with. */
async function nextTrace(): Promise<[WorkItem, pb.OrchestrationTraceContext.AsObject | undefined]> {
  const item = await worker.item();
  return [item, item.orchestratorrequest?.orchestrationtracecontext];
}

describe("the trace context", () => {
  test("of a start comes with the start of the execution, and no other way", async () => {
    await hub.start("instance", "Orchestrator", (request) => {
      request.setParenttracecontext(traceContext("b7ad6b7169203331"));
    });
    const { orchestratorrequest } = await worker.item();
    expect(orchestratorrequest?.neweventsList[1]?.executionstarted?.parenttracecontext).toEqual(
      traceContext("b7ad6b7169203331").toObject(),
    );
    expect(orchestratorrequest?.orchestrationtracecontext).toBeUndefined();
  });

  test("of an activity is the one that its orchestrator's worker has set, also after a restart", async () => {
    await hub.start("instance");
    const traced = scheduleTask(1);
    traced.getScheduletask()!.setParenttracecontext(traceContext("00f067aa0ba902b7"));
    await hub.completeEpisode(await worker.item(), [traced, scheduleTask(2)]);
    const contexts = async (): Promise<unknown[]> => [
      (await worker.item()).activityrequest?.parenttracecontext,
      (await worker.item()).activityrequest?.parenttracecontext,
    ];
    const expected = [traceContext("00f067aa0ba902b7").toObject(), undefined];
    expect(await contexts()).toEqual(expected);
    served.stop();
    await served.open();
    await connect();
    expect(await contexts()).toEqual(expected);
    const scheduled = (await hub.history("instance")).flatMap(({ taskscheduled }) => taskscheduled ?? []);
    expect(scheduled.map(({ parenttracecontext }) => parenttracecontext)).toEqual(expected);
  });

  test("of a sub-orchestration is the one that its parent's worker has set", async () => {
    await hub.start("instance");
    const action = createChild(1, "child");
    action.getCreatesuborchestration()!.setParenttracecontext(traceContext("00f067aa0ba902b7"));
    await hub.completeEpisode(await worker.item(), [action]);
    const { orchestratorrequest } = await worker.item();
    expect(orchestratorrequest).toMatchObject({ instanceid: "child" });
    expect(orchestratorrequest?.neweventsList[1]?.executionstarted?.parenttracecontext).toEqual(
      traceContext("00f067aa0ba902b7").toObject(),
    );
  });

  test("of an orchestration goes from each episode to the next, and stays where one sets none", async () => {
    await hub.start("instance");
    await completeWith(await worker.item(), "first");
    await raise();
    const [second, fromFirst] = await nextTrace();
    expect(fromFirst).toEqual(orchestrationTrace("first").toObject());
    await completeWith(second, "second");
    await raise();
    const [third, fromSecond] = await nextTrace();
    expect(fromSecond).toEqual(orchestrationTrace("second").toObject());
    await completeWith(third, undefined);
    await raise();
    const [, kept] = await nextTrace();
    expect(kept).toEqual(orchestrationTrace("second").toObject());
  });

  test("of an orchestration comes with an episode that is dispatched again, and after a restart", async () => {
    await hub.start("instance");
    await completeWith(await worker.item(), "first");
    await raise();
    await completeWith(await worker.item(), "second");
    await raise();
    const [third] = await nextTrace();
    await hub.abandon(third);
    expect((await nextTrace())[1]).toEqual(orchestrationTrace("second").toObject());
    served.stop();
    await served.open();
    await connect();
    const [again, restored] = await nextTrace();
    expect(restored).toEqual(orchestrationTrace("second").toObject());
    await completeWith(again, undefined, complete(1, "end"));
    expect((await hub.state("instance"))?.output?.value).toBe('"end"');
  });

  test("of an orchestration does not outlive its execution", async () => {
    await hub.start("instance");
    await completeWith(await worker.item(), "first");
    await raise();
    await completeWith(await worker.item(), "second", continueAsNew(1, 2));
    expect((await nextTrace())[1]).toBeUndefined();
    served.stop();
    await served.open();
    await connect();
    expect((await nextTrace())[1]).toBeUndefined();
  });
});
