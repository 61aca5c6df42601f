import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StringValue, pb } from "../../src/wire/sidecar-stubs.js";
import {
  readActivityRequest,
  readWorkItem,
  withCompletionToken,
  writeAbandon,
  writeActivityFailure,
  writeActivityResult,
} from "../../src/wire/work-item.js";

/** The SDK's stubs are the other side of every property here: what one writes, the other must read. */
const text = fc.string({ unit: "grapheme", maxLength: 300 });
const taskId = fc.integer({ min: -1, max: 2 ** 31 - 1 });

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
    expect(read).toEqual({ kind: "orchestrator", request: request.serializeBinary(), completionToken: "" });
    expect("request" in read && Buffer.isBuffer(read.request)).toBe(false);
  });

  test("a health ping and an entity's work item are told apart", () => {
    const ping = new pb.WorkItem();
    ping.setHealthping(new pb.HealthPing());
    const entity = new pb.WorkItem();
    entity.setEntityrequest(new pb.EntityBatchRequest());
    expect(readWorkItem(ping.serializeBinary())).toEqual({ kind: "healthPing" });
    expect(readWorkItem(entity.serializeBinary())).toEqual({ kind: "other" });
  });
});

describe("writing", () => {
  test("a result is read by the stubs as it was written", () => {
    fc.assert(
      fc.property(text, text, text, taskId, (instanceId, token, result, id) => {
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

  test("a circle of causes is cut off, and what is no Error is still told", () => {
    const request = { name: "activity", input: "", instanceId: "instance-1", taskId: 1 };
    const error = new Error("round and round");
    error.cause = error;
    const circle = pb.ActivityResponse.deserializeBinary(writeActivityFailure(request, "token", error, false));
    let depth = 0;
    for (let failure = circle.getFailuredetails(); failure !== undefined; failure = failure.getInnerfailure()) {
      depth++;
    }
    expect(depth).toBe(11);
    const thrown = pb.ActivityResponse.deserializeBinary(writeActivityFailure(request, "token", "a string", true));
    expect(thrown.getFailuredetails()!.toObject()).toMatchObject({
      errortype: "UnknownError",
      errormessage: "a string",
      isnonretriable: true,
    });
  });

  test("the token is added to an orchestrator's response, and replaces the one it had", () => {
    fc.assert(
      fc.property(text, fc.string({ minLength: 1 }), (had, token) => {
        const response = new pb.OrchestratorResponse();
        response.setInstanceid("instance-1");
        response.setCompletiontoken(had);
        const bytes = withCompletionToken(response.serializeBinary(), token);
        expect(pb.OrchestratorResponse.deserializeBinary(bytes).toObject()).toMatchObject({
          instanceid: "instance-1",
          completiontoken: token,
        });
      }),
    );
  });

  test("giving back names the token", () => {
    const bytes = writeAbandon("token-1");
    expect(pb.AbandonActivityTaskRequest.deserializeBinary(bytes).getCompletiontoken()).toBe("token-1");
    expect(pb.AbandonOrchestrationTaskRequest.deserializeBinary(bytes).getCompletiontoken()).toBe("token-1");
  });
});
