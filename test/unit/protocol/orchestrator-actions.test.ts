import { describe, expect, test } from "vitest";
import { PAST_EVENT, frame } from "../../../src/protocol/event-frames.js";
import { Orchestration, applyActions, type Outcome } from "../../../src/emulator/instance/orchestration.js";
import { readActions } from "../../../src/protocol/orchestrator-actions.js";
import { Status } from "../../../src/protocol/orchestration-status.js";
import { stringValue } from "../../../src/protocol/wire.js";
import { activityParent, activityWorkItem } from "../../../src/protocol/write-work-item.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";
import {
  Ending,
  NOW_US,
  TAGS,
  TRACE,
  actionOf,
  complete,
  createChild,
  createTimer,
  scheduleTask,
  sendEntityMessage,
  sendEvent,
  terminate,
  text,
} from "../../support/emulator/action-messages.js";

function apply(state: Orchestration, actions: readonly Uint8Array[]): Outcome {
  return applyActions(state, readActions(actions), { nowUs: NOW_US, executionId: "execution" });
}

describe("actions", () => {
  test("a task goes into the history and to a worker with all that was asked for", () => {
    const state = new Orchestration();
    const { events } = apply(state, [scheduleTask(5, '{"n":1}')]);
    const task = { name: "Activity", version: { value: "2" }, input: { value: '{"n":1}' } };
    const scheduled = pb.HistoryEvent.deserializeBinary(events[0]!).toObject();
    expect(scheduled.eventid).toBe(5);
    expect(scheduled.taskscheduled).toMatchObject({
      ...task,
      parenttracecontext: TRACE,
      tagsMap: TAGS,
    });
    // Also after a restart, when the task is known from its event alone.
    for (const known of [state, Orchestration.replay(frame(PAST_EVENT, events))]) {
      const item = activityWorkItem(activityParent("instance", "execution"), 5, known.tasks.get(5)!, "token");
      expect(pb.WorkItem.deserializeBinary(item).toObject().activityrequest).toMatchObject({
        ...task,
        taskid: 5,
        parenttracecontext: TRACE,
        tagsMap: TAGS,
      });
    }
  });

  test("a timer is due at the microsecond that was asked for", () => {
    const state = new Orchestration();
    apply(state, [createTimer(1, NOW_US + 1_500_000)]);
    expect(state.timers.get(1)).toBe(NOW_US + 1_500_000);
  });

  test("the end carries status, result and failure into the history", () => {
    const completed = apply(new Orchestration(), [complete(Ending.ORCHESTRATION_STATUS_COMPLETED, '"done"')]);
    expect(completed.end).toMatchObject({
      status: Status.Completed,
      result: stringValue('"done"'),
      failure: undefined,
    });
    expect(lastEvent(completed)).toMatchObject({
      executioncompleted: {
        orchestrationstatus: Ending.ORCHESTRATION_STATUS_COMPLETED,
        result: { value: '"done"' },
      },
    });
    const failed = apply(new Orchestration(), [complete(Ending.ORCHESTRATION_STATUS_FAILED, undefined, "why")]);
    expect(lastEvent(failed)).toMatchObject({ executioncompleted: { failuredetails: { errormessage: "why" } } });
  });

  test("continue-as-new has the next input and the events to keep, and no event of its own", () => {
    const action = new pb.OrchestratorAction();
    const end = new pb.CompleteOrchestrationAction();
    end.setOrchestrationstatus(Ending.ORCHESTRATION_STATUS_CONTINUED_AS_NEW);
    end.setResult(text("7"));
    end.setNewversion(text("2"));
    const raised = new pb.HistoryEvent();
    raised.setEventraised(new pb.EventRaisedEvent());
    end.setCarryovereventsList([raised]);
    action.setCompleteorchestration(end);
    const outcome = apply(new Orchestration(), [action.serializeBinary()]);
    expect(outcome.events).toEqual([]);
    expect(outcome.end).toMatchObject({
      status: Status.ContinuedAsNew,
      result: stringValue("7"),
      newVersion: stringValue("2"),
      carryoverEvents: [raised.serializeBinary()],
    });
  });

  test("tasks that were scheduled in the episode that ends are in its history in front of the end", () => {
    const outcome = apply(new Orchestration(), [scheduleTask(1), complete(Ending.ORCHESTRATION_STATUS_COMPLETED, "1")]);
    const types = outcome.events.map((event) => pb.HistoryEvent.deserializeBinary(event).getEventtypeCase());
    expect(types).toEqual([
      pb.HistoryEvent.EventtypeCase.TASKSCHEDULED,
      pb.HistoryEvent.EventtypeCase.EXECUTIONCOMPLETED,
    ]);
  });

  test("a sub-orchestration goes into the history with all that was asked for, and is known from there", () => {
    const state = new Orchestration();
    const { events, children } = apply(state, [createChild(7, "chosen", '{"n":1}')]);
    const child = { instanceid: "chosen", name: "Child", version: { value: "2" }, input: { value: '{"n":1}' } };
    const created = pb.HistoryEvent.deserializeBinary(events[0]!).toObject();
    expect(created).toMatchObject({
      eventid: 7,
      suborchestrationinstancecreated: { ...child, parenttracecontext: TRACE, tagsMap: TAGS },
    });
    expect([...children.keys()]).toEqual([7]);
    expect(children.get(7)).toMatchObject({
      instanceId: "chosen",
      name: "Child",
      version: stringValue("2"),
      input: stringValue('{"n":1}'),
    });
    for (const known of [state, Orchestration.replay(frame(PAST_EVENT, events))])
      expect([...known.children]).toEqual([[7, "chosen"]]);
  });

  test("an event for another instance is in the history, and is sent with what was given", () => {
    const { events, signals } = apply(new Orchestration(), [sendEvent(4, "other", "approval", '"yes"')]);
    expect(pb.HistoryEvent.deserializeBinary(events[0]!).toObject()).toMatchObject({
      eventid: 4,
      eventsent: { instanceid: "other", name: "approval", input: { value: '"yes"' } },
    });
    expect(signals).toMatchObject([
      { toInstanceId: "other", signal: { name: "approval", input: stringValue('"yes"') } },
    ]);
  });

  test.each([true, false])("a termination of another instance has its reason, and recurses or not: %s", (recurse) => {
    const { events, terminations } = apply(new Orchestration(), [terminate(4, "other", '"why"', recurse)]);
    expect(events).toEqual([]);
    expect(terminations).toMatchObject([{ instanceId: "other", reason: stringValue('"why"'), recurse }]);
  });

  test.each<[string, Uint8Array]>([
    ["sendEntityMessage", sendEntityMessage(2)],
    // Only the episode that was told of a rewind may answer with one, and that never comes here.
    ["rewindOrchestration", actionOf(2, (action) => action.setRewindorchestration(new pb.RewindOrchestrationAction()))],
    // Field 99, an empty message.
    ["number 99", new Uint8Array([0x9a, 0x06, 0x00])],
    ["number 0", actionOf(2, () => {})],
    // A status that no instance can have ended with.
    ["completeOrchestration as Running", complete(Ending.ORCHESTRATION_STATUS_RUNNING, undefined)],
    ["completeOrchestration as Suspended", complete(Ending.ORCHESTRATION_STATUS_SUSPENDED, undefined)],
  ])("%s is not carried out: the orchestration fails, and the failure says its name", (name, action) => {
    const outcome = apply(new Orchestration(), [scheduleTask(1), action, scheduleTask(3)]);
    expect(outcome.end).toMatchObject({ status: Status.Failed });
    const { errortype, errormessage } = lastEvent(outcome).executioncompleted!.failuredetails!;
    expect(errortype).toBe("UnsupportedAction");
    expect(errormessage).toContain(name);
  });
});

function lastEvent({ events }: Outcome): ReturnType<InstanceType<typeof pb.HistoryEvent>["toObject"]> {
  return pb.HistoryEvent.deserializeBinary(events.at(-1)!).toObject();
}
