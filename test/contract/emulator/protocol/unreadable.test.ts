import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import {
  scheduleTask,
  type RawConnection,
  type RawWorker,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

let served: ServedEmulator;
let hub: RawConnection;

beforeEach(async () => {
  served = await ServedEmulator.start();
  hub = served.connect();
});

afterEach(() => {
  served.close();
});

/** One whose work is looked at for its name and its version. */
async function narrowWorker(): Promise<RawWorker> {
  return hub.worker("narrow", (request) => request.setMaxconcurrentactivityworkitems(1));
}

function field(no: number, ...content: (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.of((no << 3) | 2, bytes.length), bytes]);
}

/** A message whose only field ends behind its end. */
const CUT = Buffer.of(0x0a, 5);
const CONTINUED_AS_NEW = Buffer.of(0x08, 2);
const UNREADABLE_TASK = field(6, field(1, "Activity"), field(2, CUT));
/** `executionRewound` of a HistoryEvent, whose reason is cut. */
const UNREADABLE_REWIND = Buffer.of(0xf2, 0x01, 4, 0x0a, 2, ...CUT);

test("a start whose version cannot be read is refused, and stops nobody's work", async () => {
  const worker = await narrowWorker();
  const start = Buffer.concat([field(1, "broken"), field(2, "Orchestrator"), field(3, CUT)]);
  await expect(hub.call("StartInstance", start, pb.CreateInstanceResponse)).rejects.toMatchObject({
    code: status.INTERNAL,
  });
  await hub.start("instance");
  expect((await worker.item()).orchestratorrequest?.instanceid).toBe("instance");
});

function completionOf({ orchestratorrequest, completiontoken }: WorkItem, action: Buffer): Buffer {
  return Buffer.concat([field(1, orchestratorrequest!.instanceid), field(2, action), field(4, completiontoken)]);
}

test.each([
  ["an activity", field(2, field(1, "Activity"), field(2, CUT))],
  ["a sub-orchestration", field(3, field(1, "child"), field(2, "Child"), field(3, CUT))],
  ["the next version", field(6, CONTINUED_AS_NEW, field(4, CUT))],
  ["an event that is carried over", field(6, CONTINUED_AS_NEW, field(5, Buffer.of(0x1a, 5)))],
  ["an event of a rewind", field(9, field(1, Buffer.of(0x1a, 5)))],
  ["the version of a task of a rewind", field(9, field(1, UNREADABLE_TASK))],
  ["the parent of a rewind", field(9, field(1, field(3, field(5, field(2, CUT)))))],
  ["the reason of a rewind", field(9, field(1, UNREADABLE_REWIND))],
  ["a termination that is carried over", field(6, CONTINUED_AS_NEW, field(5, field(5, CUT)))],
  ["the input of an activity", field(2, field(1, "Activity"), field(3, CUT))],
  ["the output", field(6, Buffer.of(0x08, 1), field(2, CUT))],
])("a completion in which %s cannot be read is refused, and its item comes again", async (_, action) => {
  const worker = await narrowWorker();
  await hub.start("instance");
  const completion = completionOf(await worker.item(), action);
  await expect(hub.call("CompleteOrchestratorTask", completion, pb.CompleteTaskResponse)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
  expect((await worker.item()).orchestratorrequest?.instanceid).toBe("instance");
});

test.each([
  ["that cannot be read", UNREADABLE_TASK],
  ["that can be read", field(6, field(1, "Activity"))],
])("a task that nobody scheduled, %s, is not carried over, and the next emulator starts", async (_, event) => {
  const worker = await narrowWorker();
  await hub.start("instance");
  const completion = completionOf(await worker.item(), field(6, CONTINUED_AS_NEW, field(5, event)));
  await expect(hub.call("CompleteOrchestratorTask", completion, pb.CompleteTaskResponse)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    message: expect.stringContaining("an action or the custom status cannot be read") as string,
  });
  expect((await worker.item()).orchestratorrequest?.instanceid).toBe("instance");
  served.stop();
  await served.open();
});

test("a result that cannot be read is refused alone, and its activity comes again", async () => {
  const worker = await hub.worker();
  await hub.start("instance");
  await hub.completeEpisode(await worker.item(), [scheduleTask(1)]);
  const { completiontoken } = await worker.item();
  const response = Buffer.concat([field(1, "instance"), Buffer.of(0x10, 1), field(3, CUT), field(5, completiontoken)]);
  await expect(hub.call("CompleteActivityTask", response, pb.CompleteTaskResponse)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
  expect((await worker.item()).activityrequest?.taskid).toBe(1);
});

test("an input that cannot be read is refused, and reaches no worker", async () => {
  await hub.start("instance");
  const start = Buffer.concat([field(1, "broken"), field(2, "Orchestrator"), field(4, CUT)]);
  await expect(hub.call("StartInstance", start, pb.CreateInstanceResponse)).rejects.toMatchObject({
    code: status.INTERNAL,
  });
  const event = Buffer.concat([field(1, "instance"), field(2, "go"), field(3, CUT)]);
  await expect(hub.call("RaiseEvent", event, pb.RaiseEventResponse)).rejects.toMatchObject({ code: status.INTERNAL });
});
