import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WorkItemSchema } from "../../../src/protocol/durabletask_pb.js";
import { readOrchestratorName, readRequestHead } from "../../../src/protocol/orchestrator-request.js";
import { StringValue, pb } from "../../../src/protocol/sidecar-stubs.js";
import {
  readActivityRequest,
  readWorkItem,
  writeAbandon,
  writeActivityFailure,
  writeActivityResult,
  writeHistoryRequest,
} from "../../../src/protocol/read-work-item.js";

/** The SDK's stubs are the other side of every property here: what one writes, the other must read. */
const text = fc.string({ unit: "grapheme", maxLength: 300 });
const longText = fc.integer({ min: 100, max: 70_000 }).map((length) => "ä".repeat(length));
/** Numbers of every length that they may have on the wire. */
const taskId = fc.oneof(
  fc.constantFrom(...[7, 14, 21, 28].flatMap((bits) => [2 ** bits - 1, 2 ** bits]), 0, -1, 2 ** 31 - 1, -(2 ** 31)),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);

function stringValue(value: string): InstanceType<typeof StringValue> {
  const message = new StringValue();
  message.setValue(value);
  return message;
}

describe("reading", () => {
  test("an activity's work item is read as the stubs wrote it", () => {
    fc.assert(
      fc.property(text, text, text, text, taskId, (name, input, instanceId, token, id) => {
        const request = new pb.ActivityRequest();
        request.setName(name);
        request.setVersion(stringValue("1"));
        request.setInput(stringValue(input));
        const instance = new pb.OrchestrationInstance();
        instance.setInstanceid(instanceId);
        request.setOrchestrationinstance(instance);
        request.setTaskid(id);
        const item = new pb.WorkItem();
        item.setActivityrequest(request);
        item.setCompletiontoken(token);
        const read = readWorkItem(Buffer.from(item.serializeBinary()));
        expect(read).toMatchObject({ kind: "activity", completionToken: token });
        expect(readActivityRequest("request" in read ? read.request : new Uint8Array())).toEqual({
          name,
          input,
          instanceId,
          taskId: id,
        });
      }),
    );
  });

  test("an orchestrator's request is passed on byte for byte, and not as a Buffer", () => {
    const request = new pb.OrchestratorRequest();
    request.setInstanceid("instance-1");
    const item = new pb.WorkItem();
    item.setOrchestratorrequest(request);
    const read = readWorkItem(Buffer.from(item.serializeBinary()));
    expect(read).toEqual({
      kind: "orchestrator",
      request: request.serializeBinary(),
      completionToken: "",
      knownHistory: 0,
    });
    expect("request" in read && Buffer.isBuffer(read.request)).toBe(false);
  });

  test("how much history was left out is read, and the SDK's messages do not mind it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (knownHistory) => {
        const item = new pb.WorkItem();
        item.setOrchestratorrequest(new pb.OrchestratorRequest());
        item.setCompletiontoken("token-1");
        const told = new BinaryWriter()
          .tag(WorkItemSchema.field.knownHistory.number, WireType.Varint)
          .uint32(knownHistory)
          .finish();
        const bytes = Buffer.concat([item.serializeBinary(), told]);
        expect(readWorkItem(bytes)).toMatchObject({ kind: "orchestrator", completionToken: "token-1", knownHistory });
        expect(pb.WorkItem.deserializeBinary(bytes).toObject()).toEqual(item.toObject());
      }),
    );
  });

  test("a health ping, and an entity's work item in either form, are told apart", () => {
    const ping = new pb.WorkItem();
    ping.setHealthping(new pb.HealthPing());
    const batch = new pb.WorkItem();
    batch.setEntityrequest(new pb.EntityBatchRequest());
    const operations = new pb.WorkItem();
    operations.setEntityrequestv2(new pb.EntityRequest());
    operations.setCompletiontoken("token");
    expect(readWorkItem(ping.serializeBinary())).toEqual({ kind: "healthPing" });
    expect(readWorkItem(batch.serializeBinary())).toMatchObject({ kind: "entity", completionToken: "" });
    expect(readWorkItem(operations.serializeBinary())).toMatchObject({ kind: "entity", completionToken: "token" });
    expect(readWorkItem(new pb.WorkItem().serializeBinary())).toEqual({ kind: "other" });
  });

  test("the name of an orchestrator is that of its ExecutionStarted event, wherever in the history that stands", () => {
    fc.assert(
      fc.property(text, fc.nat(5), fc.boolean(), (name, before, isPast) => {
        const started = new pb.ExecutionStartedEvent();
        started.setName(name);
        started.setInput(stringValue("1"));
        const event = new pb.HistoryEvent();
        event.setExecutionstarted(started);
        event.setEventid(-1);
        const other = new pb.HistoryEvent();
        other.setTaskcompleted(new pb.TaskCompletedEvent());
        const events = [...Array.from({ length: before }, () => other), event, other];
        const request = new pb.OrchestratorRequest();
        request.setInstanceid("instance-1");
        request.setPasteventsList(isPast ? events : [other]);
        request.setNeweventsList(isPast ? [other] : events);
        const bytes = request.serializeBinary();
        expect(readOrchestratorName(bytes, readRequestHead(bytes).historyStart)).toBe(name);
      }),
    );
    expect(readOrchestratorName(new pb.OrchestratorRequest().serializeBinary(), 0)).toBeUndefined();
  });
});

describe("writing", () => {
  test("a result is read by the stubs as it was written", () => {
    fc.assert(
      fc.property(text, text, fc.oneof(text, longText), taskId, (instanceId, token, result, id) => {
        const request = { name: "activity", input: "", instanceId, taskId: id };
        const response = pb.ActivityResponse.deserializeBinary(writeActivityResult(request, token, result));
        expect(response.toObject()).toMatchObject({
          instanceid: instanceId,
          taskid: id,
          completiontoken: token,
          result: { value: result },
          failuredetails: undefined,
        });
      }),
    );
  });

  test("half a character becomes a replacement character, as everywhere else", () => {
    const request = { name: "activity", input: "", instanceId: "instance-1", taskId: 1 };
    const response = pb.ActivityResponse.deserializeBinary(writeActivityResult(request, "token-1", "a\ud800b"));
    expect(response.getResult()!.getValue()).toBe("a\ufffdb");
    expect(response.getCompletiontoken()).toBe("token-1");
  });

  test("a circle of causes is cut off, and what is no Error is still told", () => {
    const request = { name: "activity", input: "", instanceId: "instance-1", taskId: 1 };
    const error = new Error("round and round");
    error.cause = error;
    const circle = pb.ActivityResponse.deserializeBinary(writeActivityFailure(request, "token", error, false));
    let depth = 0;
    for (let failure = circle.getFailuredetails(); failure !== undefined; failure = failure.getInnerfailure()) depth++;

    expect(depth).toBe(11);
    const thrown = pb.ActivityResponse.deserializeBinary(writeActivityFailure(request, "token", "a string", true));
    expect(thrown.getFailuredetails()!.toObject()).toMatchObject({
      errortype: "UnknownError",
      errormessage: "a string",
      isnonretriable: true,
    });
  });

  test("the whole history is asked for by instance and token", () => {
    const response = pb.OrchestratorResponse.deserializeBinary(writeHistoryRequest("instance-1", "token-1"));
    expect(response.toObject()).toMatchObject({
      instanceid: "instance-1",
      completiontoken: "token-1",
      requireshistory: true,
      actionsList: [],
    });
  });

  test("giving back names the token", () => {
    const bytes = writeAbandon("token-1");
    expect(pb.AbandonActivityTaskRequest.deserializeBinary(bytes).getCompletiontoken()).toBe("token-1");
    expect(pb.AbandonOrchestrationTaskRequest.deserializeBinary(bytes).getCompletiontoken()).toBe("token-1");
  });
});
