import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PAST_EVENT, frame } from "../../../../src/protocol/event-frames.js";
import {
  childCompleted,
  childFailed,
  eventRaised,
  executionResumed,
  executionStarted,
  executionSuspended,
  executionTerminated,
  orchestratorStarted,
  taskCompleted,
  taskFailed,
  timerFired,
} from "../../../../src/protocol/history-event.js";
import { Orchestration, applyActions, type Outcome } from "../../../../src/emulator/instance/orchestration.js";
import { readActions } from "../../../../src/protocol/orchestrator-actions.js";
import { Status } from "../../../../src/protocol/orchestration-status.js";
import { stringValue } from "../../../../src/protocol/wire.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import {
  Ending,
  NOW_US,
  complete,
  createChild,
  createTimer,
  scheduleTask,
  sendEntityMessage,
  sendEvent,
  terminate,
} from "../../../support/emulator/action-messages.js";

const EXECUTION_ID = "execution";

/** What an episode may ask for. */
const ACTION = {
  task: (id: number) => scheduleTask(id, String(id)),
  timer: (id: number) => createTimer(id, NOW_US + id),
  child: (id: number) => createChild(id),
  "named child": (id: number) => createChild(id, `chosen ${id}`),
  signal: (id: number) => sendEvent(id, String(id), "signal", "1"),
  terminate: (id: number) => terminate(id, String(id), "why", false),
} as const;
type ActionKind = keyof typeof ACTION;

/** What may become of it. */
const OUTCOME = {
  completed: (id: number) => taskCompleted(id, stringValue("1"), NOW_US),
  failed: (id: number) => taskFailed(id, new Uint8Array(0), NOW_US),
  "child completed": (id: number) => childCompleted(id, stringValue("1"), NOW_US),
  "child failed": (id: number) => childFailed(id, new Uint8Array(0), NOW_US),
  fired: (id: number) => timerFired(id, NOW_US, NOW_US),
} as const;
type OutcomeKind = keyof typeof OUTCOME;

const OTHER = {
  suspended: executionSuspended(stringValue("why"), NOW_US),
  resumed: executionResumed(undefined, NOW_US),
  raised: eventRaised({ name: "event", input: stringValue("1") }, NOW_US),
  terminated: executionTerminated(stringValue("why"), true, NOW_US),
} as const;

/** How an episode may end, and the status that the orchestration has by it. */
const END = {
  completed: { action: complete(Ending.ORCHESTRATION_STATUS_COMPLETED, "1"), status: Status.Completed },
  failed: { action: complete(Ending.ORCHESTRATION_STATUS_FAILED, undefined, "why"), status: Status.Failed },
  "continued as new": {
    action: complete(Ending.ORCHESTRATION_STATUS_CONTINUED_AS_NEW, "1"),
    status: Status.ContinuedAsNew,
  },
  unsupported: { action: sendEntityMessage(98), status: Status.Failed },
} as const;

/** What may happen to an orchestration. */
type Step =
  | { readonly kind: "episode"; readonly actions: readonly ActionKind[] }
  /** An event that says what has become of the action of that id, which may not be there. */
  | { readonly kind: "outcome"; readonly outcome: OutcomeKind; readonly id: number }
  /** A completion that a worker, or a sub-orchestration of that instance id, brings. */
  | { readonly kind: "task"; readonly id: number; readonly succeeded: boolean }
  | { readonly kind: "child"; readonly id: number; readonly instanceId: "right" | "wrong" }
  | { readonly kind: "other"; readonly other: keyof typeof OTHER };

const id = fc.nat({ max: 15 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("episode"), actions: anyOf(keysOf(ACTION)) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("outcome"), outcome: fc.constantFrom(...keysOf(OUTCOME)), id }),
  },
  fc.record({ kind: fc.constant("task"), id, succeeded: fc.boolean() }),
  fc.record({ kind: fc.constant("child"), id, instanceId: fc.constantFrom("right", "wrong") }),
  fc.record({ kind: fc.constant("other"), other: fc.constantFrom(...keysOf(OTHER)) }),
);

function keysOf<K extends string>(table: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(table) as K[];
}

function anyOf<T>(values: readonly T[]): fc.Arbitrary<T[]> {
  return fc.array(fc.constantFrom(...values), { maxLength: 5 });
}

/** What an orchestration waits for, told by plain means. */
class Model {
  tasks: number[] = [];
  timers: [number, number][] = [];
  children: [number, string][] = [];
  completed = 0;
  suspended = false;

  /** False if nobody waits for it. */
  settle(outcome: OutcomeKind, id: number): boolean {
    if (outcome === "fired") return this.#drop("timers", id);
    if (outcome === "child completed" || outcome === "child failed") return this.#drop("children", id);
    const waited = this.tasks.includes(id);
    this.tasks = this.tasks.filter((task) => task !== id);
    this.completed += waited && outcome === "completed" ? 1 : 0;
    return waited;
  }

  #drop(kind: "timers" | "children", id: number): boolean {
    const before = this[kind].length;
    this.timers = kind === "timers" ? this.timers.filter(([each]) => each !== id) : this.timers;
    this.children = kind === "children" ? this.children.filter(([each]) => each !== id) : this.children;
    return this[kind].length < before;
  }
}

/** What came of something, and what should have. */
interface Compared {
  readonly got: unknown;
  readonly expected: unknown;
}

/** An orchestration, its model, and the history that tells of both. */
class Run {
  readonly state = new Orchestration();
  readonly history: Uint8Array[] = [];
  readonly #model = new Model();
  #nextId = 0;

  take(step: Step): Compared {
    if (step.kind === "episode") {
      return this.episode(step.actions);
    } else if (step.kind === "outcome") {
      return this.#observe(OUTCOME[step.outcome](step.id), this.#model.settle(step.outcome, step.id));
    } else if (step.kind === "task") {
      const outcome = step.succeeded ? "completed" : "failed";
      const counts = this.#model.settle(outcome, step.id);
      if (counts) this.history.push(OUTCOME[outcome](step.id));
      return { got: this.state.completeTask(step.id, step.succeeded), expected: counts };
    } else if (step.kind === "child") {
      const instanceId = this.#model.children.find(([id]) => id === step.id)?.[1];
      const isRight = step.instanceId === "right" && instanceId !== undefined;
      const got = this.state.completeChild(step.id, isRight ? instanceId : "of another");
      if (isRight) {
        this.#model.settle("child completed", step.id);
        this.history.push(OUTCOME["child completed"](step.id));
      }
      return { got, expected: isRight };
    }
    if (step.other === "suspended" || step.other === "resumed") this.#model.suspended = step.other === "suspended";
    return this.#observe(OTHER[step.other], true);
  }

  /** Lets an episode ask for that, with the actions `last` behind it. */
  episode(kinds: readonly ActionKind[], last: readonly Uint8Array[] = []): Compared & { readonly outcome: Outcome } {
    const asked = kinds.map((kind) => ({ kind, id: this.#nextId++ }));
    const idsOf = (wanted: ActionKind): number[] => asked.filter(({ kind }) => kind === wanted).map(({ id }) => id);
    const actions = [...asked.map(({ kind, id }) => ACTION[kind](id)), ...last];
    const outcome = applyActions(this.state, readActions(actions), { nowUs: NOW_US, executionId: EXECUTION_ID });
    const children = asked.flatMap(({ kind, id }): [number, string][] =>
      kind === "child" ? [[id, derivedId(id)]] : kind === "named child" ? [[id, `chosen ${id}`]] : [],
    );
    this.#model.tasks.push(...idsOf("task"));
    this.#model.timers.push(...idsOf("timer").map((id): [number, number] => [id, NOW_US + id]));
    this.#model.children.push(...children);
    this.history.push(...outcome.events);
    return {
      outcome,
      got: {
        taskIds: outcome.taskIds,
        timerIds: outcome.timerIds,
        children: [...outcome.children].map(([id, { instanceId }]) => [id, instanceId]),
        signalled: outcome.signals.map(({ toInstanceId }) => toInstanceId),
        terminated: outcome.terminations.map(({ instanceId }) => instanceId),
      },
      expected: {
        taskIds: idsOf("task"),
        timerIds: idsOf("timer"),
        children,
        signalled: idsOf("signal").map(String),
        terminated: idsOf("terminate").map(String),
      },
    };
  }

  /** The state as the model has it. */
  get expected(): object {
    const { tasks, timers, children, completed, suspended } = this.#model;
    return {
      tasks: tasks.map((id) => expect.objectContaining({ id }) as unknown),
      timers,
      children,
      completed,
      suspended,
    };
  }

  /** The state as the history tells it. */
  get replayed(): Orchestration {
    return Orchestration.replay(frame(PAST_EVENT, this.history));
  }

  #observe(event: Uint8Array, counts: boolean): Compared {
    if (counts) this.history.push(event);
    return { got: this.state.observe(event), expected: counts };
  }
}

describe("the state of an orchestration", () => {
  test("knows what is outstanding after any sequence of actions and events, and its history tells the same", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const run = new Run();
        for (const each of steps) {
          const { got, expected } = run.take(each);
          expect(got).toEqual(expected);
          expect(seen(run.state)).toEqual(run.expected);
          expect(seen(run.replayed)).toEqual(seen(run.state));
        }
      }),
    );
  });

  test("ends by the first end that an episode has, or by what is not supported, whatever it asks for beside it", () => {
    const someEnds = fc.array(fc.constantFrom(...keysOf(END)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 10 }), anyOf(keysOf(ACTION)), someEnds, (steps, actions, ends) => {
        const run = new Run();
        for (const each of steps) run.take(each);
        const { outcome, got, expected } = run.episode(
          actions,
          ends.map((kind) => END[kind].action),
        );
        expect(got).toEqual(expected);
        const { status } = END[ends.includes("unsupported") ? "unsupported" : ends[0]!];
        expect(outcome.end!.status).toBe(status);
        // A termination of another instance is no event.
        const asked = actions.filter((kind) => kind !== "terminate").length;
        const last = outcome.events.slice(asked).map((event) => pb.HistoryEvent.deserializeBinary(event).toObject());
        const end = { executioncompleted: expect.objectContaining({ orchestrationstatus: status }) as unknown };
        const goesOn = status === Status.ContinuedAsNew;
        expect(last).toEqual(goesOn ? [] : [expect.objectContaining(end)]);
        // What has ended waits for nothing, until it is rewound.
        const over = { tasks: [], children: [], timers: [] };
        expect(seen(run.replayed)).toEqual(goesOn ? seen(run.state) : { ...seen(run.state), ...over });
      }),
    );
  });

  test.each(["completed", "failed"] as const)(
    "refuses a second result for a task that has %s, whichever it is",
    (kind) => {
      const run = new Run();
      run.episode(["task"]);
      expect(run.state.observe(OUTCOME[kind](0))).toBe(true);
      for (const again of ["completed", "failed"] as const) expect(run.state.observe(OUTCOME[again](0))).toBe(false);

      expect(run.state.completeTask(0, true)).toBe(false);
      expect(run.state.tasksCompleted).toBe(kind === "completed" ? 1 : 0);
    },
  );

  test("takes the outcome of a sub-orchestration from the instance alone that it waits for", () => {
    const run = new Run();
    run.episode(["named child", "child"]);
    expect(run.state.completeChild(0, derivedId(1))).toBe(false);
    expect(run.state.completeChild(1, "chosen 0")).toBe(false);
    expect(run.state.completeChild(2, "chosen 0")).toBe(false);
    expect(run.state.completeChild(0, "chosen 0")).toBe(true);
    expect(run.state.completeChild(0, "chosen 0")).toBe(false);
    expect([...run.state.children]).toEqual([[1, derivedId(1)]]);
  });

  test("another execution derives other ids for its sub-orchestrations", () => {
    const [first, second] = ["first", "second"].map((executionId) => {
      const actions = readActions([createChild(1)]);
      return applyActions(new Orchestration(), actions, { nowUs: NOW_US, executionId }).children.get(1)!.instanceId;
    });
    expect(first).not.toBe(second);
  });

  test("takes events that it does not count without a change", () => {
    const state = new Orchestration();
    const start = { name: "O", version: undefined, input: undefined, instanceId: "i", executionId: "e" };
    const nothing = { parent: undefined, scheduledStartUs: 0, traceContext: undefined, tags: [] };
    expect(state.observe(executionStarted({ ...start, ...nothing }, NOW_US))).toBe(true);
    expect(state.observe(orchestratorStarted(NOW_US))).toBe(true);
    expect(seen(state)).toEqual({ tasks: [], timers: [], children: [], completed: 0, suspended: false });
  });
});

function derivedId(taskId: number): string {
  return `${EXECUTION_ID}:${taskId.toString(16).padStart(4, "0")}`;
}

/** Tasks with all that a worker is told of them. */
function seen(state: Orchestration): object {
  return {
    tasks: [...state.tasks].map(([id, { name, version, input, tags, traceContext }]) => ({
      id,
      name,
      version: version && hex(version),
      input: input && hex(input),
      tags: tags.map(hex),
      traceContext: traceContext && hex(traceContext),
    })),
    timers: [...state.timers],
    children: [...state.children],
    completed: state.tasksCompleted,
    suspended: state.suspended,
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
