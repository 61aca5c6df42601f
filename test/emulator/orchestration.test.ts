import * as fc from "fast-check";
import timestamps from "google-protobuf/google/protobuf/timestamp_pb.js";
import { describe, expect, test } from "vitest";
import {
  PAST_EVENT,
  executionStarted,
  frame,
  orchestratorStarted,
  taskCompleted,
  taskFailed,
  timerFired,
} from "../../src/emulator/history.js";
import { Orchestration, applyActions, readActions, type Outcome } from "../../src/emulator/orchestration.js";
import { Status } from "../../src/emulator/status.js";
import { stringValue } from "../../src/emulator/wire.js";
import { activityParent, activityWorkItem } from "../../src/emulator/work-item.js";
import { StringValue, pb } from "../../src/wire/sidecar-stubs.js";

const Ending = pb.OrchestrationStatus;

const NOW_US = 1_764_000_000_123_456;

/** What may happen to an orchestration: an episode that asks for tasks and timers, or a result for one. */
type Step =
  | { readonly kind: "episode"; readonly actions: readonly ("task" | "timer")[] }
  | { readonly kind: "completed" | "failed" | "fired"; readonly id: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("episode" as const),
    actions: fc.array(fc.constantFrom("task" as const, "timer" as const), { maxLength: 5 }),
  }),
  fc.record({
    kind: fc.constantFrom("completed" as const, "failed" as const, "fired" as const),
    id: fc.nat({ max: 12 }),
  }),
);

function apply(state: Orchestration, actions: readonly Uint8Array[], nowUs: number): Outcome {
  return applyActions(state, readActions(actions), nowUs);
}

describe("the state of an orchestration", () => {
  test("knows what is outstanding after any sequence of actions and results", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const state = new Orchestration();
        const model = { tasks: new Set<number>(), timers: new Set<number>(), completed: 0 };
        const history: Uint8Array[] = [];
        let nextId = 0;
        for (const step of steps) {
          if (step.kind === "episode") {
            const asked = step.actions.map((kind) => ({ kind, id: nextId++ }));
            const outcome = apply(
              state,
              asked.map(({ kind, id }) => (kind === "task" ? scheduleTask(id) : createTimer(id))),
              NOW_US,
            );
            const tasks = asked.filter(({ kind }) => kind === "task").map(({ id }) => id);
            const timers = asked.filter(({ kind }) => kind === "timer").map(({ id }) => id);
            expect(outcome).toMatchObject({ taskIds: tasks, timerIds: timers, end: undefined });
            history.push(...outcome.events);
            tasks.forEach((id) => model.tasks.add(id));
            timers.forEach((id) => model.timers.add(id));
          } else {
            const event = resultEvent(step.kind, step.id);
            const outstanding = step.kind === "fired" ? model.timers : model.tasks;
            const counts = outstanding.delete(step.id);
            model.completed += counts && step.kind === "completed" ? 1 : 0;
            expect(state.observe(event)).toBe(counts);
            if (counts) {
              history.push(event);
            }
          }
          expect(seen(state)).toEqual({
            tasks: [...model.tasks],
            timers: [...model.timers],
            completed: model.completed,
          });
        }
        expect(seen(Orchestration.replay(frame(PAST_EVENT, history)))).toEqual(seen(state));
      }),
    );
  });

  test("refuses a second result for a task, whichever it is", () => {
    const state = new Orchestration();
    apply(state, [scheduleTask(3)], NOW_US);
    expect(state.observe(resultEvent("completed", 3))).toBe(true);
    expect(state.observe(resultEvent("completed", 3))).toBe(false);
    expect(state.observe(resultEvent("failed", 3))).toBe(false);
    expect(state.completeTask(3, true)).toBe(false);
    expect(state.tasksCompleted).toBe(1);
  });

  test("takes events that it does not count without a change", () => {
    const state = new Orchestration();
    const started = { name: "O", version: undefined, input: undefined, instanceId: "i", executionId: "e" };
    const event = executionStarted({ ...started, scheduledStartUs: 0, traceContext: undefined, tags: [] }, NOW_US);
    expect(state.observe(event)).toBe(true);
    expect(state.observe(orchestratorStarted(NOW_US))).toBe(true);
    expect(seen(state)).toEqual({ tasks: [], timers: [], completed: 0 });
  });
});

describe("actions", () => {
  test("a task goes into the history and to a worker with all that was asked for", () => {
    const state = new Orchestration();
    const { events } = apply(state, [scheduleTask(5, '{"n":1}')], NOW_US);
    const trace = { traceparent: "00-trace", spanid: "span" };
    const task = { name: "Activity", version: { value: "2" }, input: { value: '{"n":1}' } };
    const scheduled = pb.HistoryEvent.deserializeBinary(events[0]!).toObject();
    expect(scheduled.eventid).toBe(5);
    expect(scheduled.taskscheduled).toMatchObject({
      ...task,
      parenttracecontext: trace,
      tagsMap: [["colour", "green"]],
    });
    // Also after a restart, when the task is known from its event alone.
    for (const known of [state, Orchestration.replay(frame(PAST_EVENT, events))]) {
      const item = activityWorkItem(activityParent("instance", "execution"), 5, known.tasks.get(5)!, "token");
      expect(pb.WorkItem.deserializeBinary(item).toObject().activityrequest).toMatchObject({
        ...task,
        taskid: 5,
        parenttracecontext: trace,
        tagsMap: [["colour", "green"]],
      });
    }
  });

  test("a timer is due at the microsecond that was asked for", () => {
    const state = new Orchestration();
    apply(state, [createTimer(1, NOW_US + 1_500_000)], NOW_US);
    expect(state.timers.get(1)).toBe(NOW_US + 1_500_000);
  });

  test("the end carries status, result and failure into the history", () => {
    const completed = apply(new Orchestration(), [complete(Ending.ORCHESTRATION_STATUS_COMPLETED, '"done"')], NOW_US);
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
    const failed = apply(new Orchestration(), [complete(Ending.ORCHESTRATION_STATUS_FAILED, undefined, "why")], NOW_US);
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
    const outcome = apply(new Orchestration(), [action.serializeBinary()], NOW_US);
    expect(outcome.events).toEqual([]);
    expect(outcome.end).toMatchObject({
      status: Status.ContinuedAsNew,
      result: stringValue("7"),
      newVersion: stringValue("2"),
      carryoverEvents: [raised.serializeBinary()],
    });
  });

  test("tasks that were scheduled in the episode that ends are in its history in front of the end", () => {
    const outcome = apply(
      new Orchestration(),
      [scheduleTask(1), complete(Ending.ORCHESTRATION_STATUS_COMPLETED, "1")],
      NOW_US,
    );
    const types = outcome.events.map((event) => pb.HistoryEvent.deserializeBinary(event).getEventtypeCase());
    expect(types).toEqual([
      pb.HistoryEvent.EventtypeCase.TASKSCHEDULED,
      pb.HistoryEvent.EventtypeCase.EXECUTIONCOMPLETED,
    ]);
  });

  test.each<[string, (action: InstanceType<typeof pb.OrchestratorAction>) => void]>([
    ["createSubOrchestration", (action) => action.setCreatesuborchestration(new pb.CreateSubOrchestrationAction())],
    ["sendEvent", (action) => action.setSendevent(new pb.SendEventAction())],
    ["terminateOrchestration", (action) => action.setTerminateorchestration(new pb.TerminateOrchestrationAction())],
    ["sendEntityMessage", (action) => action.setSendentitymessage(new pb.SendEntityMessageAction())],
  ])("%s is not carried out: the orchestration fails, and the failure says its name", (name, set) => {
    const action = new pb.OrchestratorAction();
    action.setId(2);
    set(action);
    const actions = [scheduleTask(1), action.serializeBinary(), scheduleTask(3)];
    const outcome = apply(new Orchestration(), actions, NOW_US);
    expect(outcome.end).toMatchObject({ status: Status.Failed });
    const { errortype, errormessage } = lastEvent(outcome).executioncompleted!.failuredetails!;
    expect(errortype).toBe("UnsupportedAction");
    expect(errormessage).toContain(name);
    expect(outcome.taskIds).toEqual([1]);
  });

  test("an action that no version knows fails the orchestration with its number", () => {
    // Field 99, an empty message.
    const outcome = apply(new Orchestration(), [new Uint8Array([0x9a, 0x06, 0x00])], NOW_US);
    expect(lastEvent(outcome).executioncompleted!.failuredetails!.errormessage).toContain("number 99");
  });
});

function seen(state: Orchestration): { tasks: number[]; timers: number[]; completed: number } {
  return { tasks: [...state.tasks.keys()], timers: [...state.timers.keys()], completed: state.tasksCompleted };
}

function resultEvent(kind: "completed" | "failed" | "fired", id: number): Uint8Array {
  if (kind === "fired") {
    return timerFired(id, NOW_US, NOW_US);
  }
  return kind === "completed" ? taskCompleted(id, stringValue("1"), NOW_US) : taskFailed(id, new Uint8Array(0), NOW_US);
}

function lastEvent({ events }: Outcome): ReturnType<InstanceType<typeof pb.HistoryEvent>["toObject"]> {
  return pb.HistoryEvent.deserializeBinary(events.at(-1)!).toObject();
}

function scheduleTask(id: number, input = "null"): Uint8Array {
  const task = new pb.ScheduleTaskAction();
  task.setName("Activity");
  task.setVersion(text("2"));
  task.setInput(text(input));
  task.getTagsMap().set("colour", "green");
  const trace = new pb.TraceContext();
  trace.setTraceparent("00-trace");
  trace.setSpanid("span");
  task.setParenttracecontext(trace);
  const action = new pb.OrchestratorAction();
  action.setId(id);
  action.setScheduletask(task);
  return action.serializeBinary();
}

function createTimer(id: number, fireAtUs = NOW_US): Uint8Array {
  const fireAt = new timestamps.Timestamp();
  fireAt.setSeconds(Math.floor(fireAtUs / 1e6));
  fireAt.setNanos((fireAtUs % 1e6) * 1000);
  const timer = new pb.CreateTimerAction();
  timer.setFireat(fireAt);
  const action = new pb.OrchestratorAction();
  action.setId(id);
  action.setCreatetimer(timer);
  return action.serializeBinary();
}

function complete(
  status: (typeof Ending)[keyof typeof Ending],
  result: string | undefined,
  failure?: string,
): Uint8Array {
  const end = new pb.CompleteOrchestrationAction();
  end.setOrchestrationstatus(status);
  if (result !== undefined) {
    end.setResult(text(result));
  }
  if (failure !== undefined) {
    const details = new pb.TaskFailureDetails();
    details.setErrormessage(failure);
    end.setFailuredetails(details);
  }
  const action = new pb.OrchestratorAction();
  action.setId(99);
  action.setCompleteorchestration(end);
  return action.serializeBinary();
}

function text(value: string): InstanceType<typeof StringValue> {
  const message = new StringValue();
  message.setValue(value);
  return message;
}
