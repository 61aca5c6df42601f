import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PAST_EVENT, frame } from "../../../src/protocol/event-frames.js";
import {
  EventType,
  concernsAction,
  executionCompleted,
  executionStarted,
  executionTerminated,
  orchestratorStarted,
  subjectOf,
  taskCompleted,
  taskFailed,
  taskScheduled,
  timerCreated,
  timerFired,
  viewEvent,
  type TaskRequest,
} from "../../../src/protocol/history-event.js";
import { Status } from "../../../src/protocol/orchestration-status.js";
import { BinaryWriter, fieldString, stringValue } from "../../../src/protocol/wire.js";
import {
  activityParent,
  activityWorkItem,
  episodeHead,
  episodeWorkItem,
} from "../../../src/protocol/write-work-item.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";

/** Lengths on both sides of where a varint grows: 1 to 4 bytes. */
const LENGTHS = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1fffff, 0x200000];
const NOW_US = 1_764_000_000_123_456;

describe("an event is read by the SDK's stubs", () => {
  const failure = new pb.TaskFailureDetails();
  failure.setErrortype("Error");
  failure.setErrormessage("why");
  const failureBytes = failure.serializeBinary();
  const start = {
    name: "Orchestrator",
    version: stringValue("1.0"),
    input: stringValue('"input"'),
    instanceId: "instance",
    executionId: "execution",
    scheduledStartUs: NOW_US + 1,
    traceContext: undefined,
    parent: undefined,
    tags: [tag("key", "value"), tag("other", "")],
  };
  const task = { ...named("Activity", "1"), traceContext: undefined, tags: [tag("key", "value")] };

  test.each<[string, Uint8Array, number, object]>([
    ["OrchestratorStarted", orchestratorStarted(NOW_US), -1, { orchestratorstarted: {} }],
    [
      "ExecutionStarted",
      executionStarted(start, NOW_US),
      -1,
      {
        executionstarted: {
          name: "Orchestrator",
          version: { value: "1.0" },
          input: { value: '"input"' },
          orchestrationinstance: { instanceid: "instance", executionid: { value: "execution" } },
          scheduledstarttimestamp: { seconds: 1_764_000_000, nanos: 123_457_000 },
          tagsMap: [
            ["key", "value"],
            ["other", ""],
          ],
        },
      },
    ],
    [
      "ExecutionCompleted",
      executionCompleted(Status.Failed, stringValue("1"), failureBytes, NOW_US),
      -1,
      {
        executioncompleted: {
          orchestrationstatus: pb.OrchestrationStatus.ORCHESTRATION_STATUS_FAILED,
          result: { value: "1" },
          failuredetails: { errortype: "Error", errormessage: "why" },
        },
      },
    ],
    [
      "ExecutionTerminated",
      executionTerminated(stringValue('"stop"'), true, NOW_US),
      -1,
      { executionterminated: { input: { value: '"stop"' }, recurse: true } },
    ],
    [
      "TaskScheduled",
      taskScheduled(7, task, NOW_US),
      7,
      { taskscheduled: { name: "Activity", version: { value: "1" }, tagsMap: [["key", "value"]] } },
    ],
    [
      "TaskCompleted",
      taskCompleted(7, stringValue("2"), NOW_US),
      -1,
      { taskcompleted: { taskscheduledid: 7, result: { value: "2" } } },
    ],
    [
      "TaskFailed",
      taskFailed(7, failureBytes, NOW_US),
      -1,
      { taskfailed: { taskscheduledid: 7, failuredetails: { errortype: "Error", errormessage: "why" } } },
    ],
    [
      "TimerCreated",
      timerCreated(8, NOW_US, NOW_US),
      8,
      { timercreated: { fireat: { seconds: 1_764_000_000, nanos: 123_456_000 } } },
    ],
    [
      "TimerFired",
      timerFired(8, NOW_US, NOW_US),
      -1,
      { timerfired: { timerid: 8, fireat: { seconds: 1_764_000_000, nanos: 123_456_000 } } },
    ],
  ])("%s", (_, bytes, eventId, body) => {
    expect(pb.HistoryEvent.deserializeBinary(bytes).toObject()).toMatchObject({
      eventid: eventId,
      timestamp: { seconds: 1_764_000_000, nanos: 123_456_000 },
      ...body,
    });
  });

  test("whatever its texts are", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 40 });
    fc.assert(
      fc.property(text, text, text, fc.nat(), (name, input, instanceId, taskId) => {
        const started = executionStarted({ ...start, name, input: stringValue(input), instanceId }, NOW_US);
        expect(pb.HistoryEvent.deserializeBinary(started).toObject().executionstarted).toMatchObject({
          name,
          input: { value: input },
          orchestrationinstance: { instanceid: instanceId },
        });
        const completed = pb.HistoryEvent.deserializeBinary(taskCompleted(taskId, stringValue(input), NOW_US));
        expect(completed.toObject().taskcompleted).toMatchObject({ taskscheduledid: taskId, result: { value: input } });
      }),
    );
  });
});

describe("an event is looked at", () => {
  const failure = new Uint8Array(0);
  const task = { ...named("Activity", "1"), traceContext: undefined, tags: [] };

  test.each<[string, Uint8Array, number, number, boolean]>([
    ["TaskCompleted", taskCompleted(5, stringValue("x"), NOW_US), EventType.TaskCompleted, 5, true],
    ["TaskCompleted of task 0", taskCompleted(0, undefined, NOW_US), EventType.TaskCompleted, 0, true],
    ["TaskFailed", taskFailed(300, failure, NOW_US), EventType.TaskFailed, 300, true],
    ["TimerFired", timerFired(70_000, NOW_US, NOW_US), EventType.TimerFired, 70_000, true],
    ["TaskScheduled", taskScheduled(5, task, NOW_US), EventType.TaskScheduled, 0, false],
    ["TimerCreated", timerCreated(5, NOW_US, NOW_US), EventType.TimerCreated, 0, false],
    ["OrchestratorStarted", orchestratorStarted(NOW_US), EventType.OrchestratorStarted, 0, false],
  ])("%s tells its type, its subject and whether it answers an action", (_, bytes, type, subject, answers) => {
    const view = viewEvent(bytes);
    expect(view.type).toBe(type);
    expect(concernsAction(bytes)).toBe(answers);
    if (answers) expect(subjectOf(view)).toBe(subject);
  });
});

describe("a work item is read by the SDK's stubs", () => {
  test.each(LENGTHS)("an episode with a history and a new event of %d bytes of input", (length) => {
    const input = stringValue("x".repeat(length));
    const history = frame(PAST_EVENT, [orchestratorStarted(NOW_US), taskCompleted(1, input, NOW_US)]);
    const item = episodeWorkItem({
      head: episodeHead("instance", "execution"),
      history,
      newEvents: [taskCompleted(2, input, NOW_US)],
      token: "token-1",
    });
    const read = pb.WorkItem.deserializeBinary(Buffer.concat(item)).toObject();
    expect(read.completiontoken).toBe("token-1");
    expect(read.orchestratorrequest).toMatchObject({ instanceid: "instance", executionid: { value: "execution" } });
    expect(read.orchestratorrequest!.pasteventsList).toMatchObject([
      { orchestratorstarted: {} },
      { taskcompleted: { taskscheduledid: 1, result: { value: "x".repeat(length) } } },
    ]);
    expect(read.orchestratorrequest!.neweventsList).toMatchObject([
      { taskcompleted: { taskscheduledid: 2, result: { value: "x".repeat(length) } } },
    ]);
  });

  test("a large history goes into the item without being copied, behind the fields before it", () => {
    const history = frame(PAST_EVENT, [taskCompleted(1, stringValue("x".repeat(20_000)), NOW_US)]);
    const item = episodeWorkItem({
      head: episodeHead("instance", "execution"),
      history,
      newEvents: [orchestratorStarted(NOW_US)],
      token: "token-1",
    });
    expect(item).toHaveLength(3);
    expect(item[1]!.buffer).toBe(history.buffer);
    expect(item[1]!.byteOffset).toBe(history.byteOffset);
  });

  test.each([1, 128, 20_000])("a token of %d characters", (length) => {
    const token = "t".repeat(length);
    const item = episodeWorkItem({
      head: episodeHead("instance", "execution"),
      history: new Uint8Array(0),
      newEvents: [],
      token,
    });
    expect(pb.WorkItem.deserializeBinary(Buffer.concat(item)).getCompletiontoken()).toBe(token);
  });

  test("an activity, whatever its texts are", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 300 });
    fc.assert(
      fc.property(text, text, text, text, fc.nat(), (name, version, instanceId, value, taskId) => {
        const task = { ...named(name, version), traceContext: undefined, tags: [tag("key", value)] };
        const item = activityWorkItem(activityParent(instanceId, "execution"), taskId, task, "token");
        const read = pb.WorkItem.deserializeBinary(item).toObject();
        expect(read).toMatchObject({ completiontoken: "token", orchestratorrequest: undefined });
        expect(read.activityrequest).toMatchObject({
          name,
          version: { value: version },
          taskid: taskId,
          orchestrationinstance: { instanceid: instanceId, executionid: { value: "execution" } },
          tagsMap: [["key", value]],
        });
      }),
    );
  });
});

/** An entry of `map<string, string>`. */
function tag(key: string, value: string): Uint8Array {
  return fieldString(fieldString(new BinaryWriter(), 1, key), 2, value).finish();
}

function named(name: string, version: string): Pick<TaskRequest, "name" | "version" | "input"> {
  return { name, version: stringValue(version), input: undefined };
}
