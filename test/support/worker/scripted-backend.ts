import { RetryPolicy, whenAll, whenAny, type OrchestrationContext, type Task } from "@microsoft/durabletask-js";
import * as fc from "fast-check";
import {
  childCompleted,
  childFailed,
  eventRaised,
  executionCompleted,
  executionResumed,
  executionRewound,
  executionStarted,
  executionSuspended,
  executionTerminated,
  orchestratorStarted,
  taskCompleted,
  taskFailed,
  timerFired,
} from "../../../src/protocol/history-event.js";
import { History } from "../../../src/emulator/instance/history.js";
import { PAST_EVENT, frame, unframe } from "../../../src/protocol/event-frames.js";
import { Orchestration, applyActions } from "../../../src/emulator/instance/orchestration.js";
import { OrchestratorResponseSchema } from "../../../src/protocol/durabletask_pb.js";
import { failureDetails, readMessage } from "../../../src/protocol/messages.js";
import { readActions } from "../../../src/protocol/orchestrator-actions.js";
import { Status } from "../../../src/protocol/orchestration-status.js";
import { stringValue } from "../../../src/protocol/wire.js";
import { episodeHead, episodeWorkItem } from "../../../src/protocol/write-work-item.js";

/** What an orchestrator does next. */
export type Step =
  | { readonly kind: "fanOut" | "race"; readonly width: number }
  | { readonly kind: "timer" | "attempt" | "retry" | "event" | "child" | "signal" | "continueAsNew" | "throw" };

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom("fanOut" as const, "race" as const),
        width: fc.integer({ min: 1, max: 8 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom(...(["timer", "attempt", "retry", "event", "child", "signal"] as const)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("continueAsNew" as const, "throw" as const) }) },
  ),
  { maxLength: 6 },
);

const RETRY = new RetryPolicy({ maxNumberOfAttempts: 3, firstRetryIntervalInMilliseconds: 1_000 });

/** An orchestrator whose input says what it does. */
export async function* Scripted(context: OrchestrationContext, input: unknown): AsyncGenerator<Task<unknown>, unknown> {
  const script = input as readonly Step[];
  for (const [index, step] of script.entries()) {
    context.setCustomStatus({ index });
    if (step.kind === "fanOut" || step.kind === "race") {
      const tasks = Array.from({ length: step.width }, (_, n) => context.callActivity("echo", { index, n }));
      yield step.kind === "fanOut" ? whenAll(tasks) : whenAny(tasks);
    } else if (step.kind === "timer") {
      yield context.createTimer(60);
    } else if (step.kind === "attempt") {
      try {
        yield context.callActivity("echo", "attempt");
      } catch (error) {
        context.setCustomStatus({ caught: String(error) });
      }
    } else if (step.kind === "retry") {
      try {
        yield context.callActivity("echo", "retry", { retry: RETRY });
      } catch (error) {
        context.setCustomStatus({ gaveUp: String(error) });
      }
    } else if (step.kind === "event") {
      context.setCustomStatus({ event: yield context.waitForExternalEvent("go") });
    } else if (step.kind === "child") {
      try {
        yield context.callSubOrchestrator("Child", { index });
      } catch (error) {
        context.setCustomStatus({ childFailed: String(error) });
      }
    } else if (step.kind === "signal") {
      context.sendEvent("another", "hello", { index });
    } else if (step.kind === "continueAsNew") {
      context.continueAsNew(script.slice(index + 1), true);
      return undefined;
    } else {
      throw new Error(`thrown by step ${index}`);
    }
  }
  return { steps: script.length };
}

/** What comes to the orchestration from outside before the next episode. */
export type Message = "nothing" | "event" | "suspend" | "resume" | "terminate";

/** What happens to the outstanding work before the next episode: how much of it ends, from which end, and how. */
export interface Arrival {
  readonly count: number;
  readonly lastFirst: boolean;
  readonly fails: boolean;
  /** Behind what ends; nothing where it is absent. */
  readonly message?: Message;
}

export const arrival: fc.Arbitrary<Arrival> = fc.record({
  count: fc.integer({ min: 1, max: 12 }),
  lastFirst: fc.boolean(),
  fails: fc.boolean(),
  message: fc.oneof(
    { weight: 6, arbitrary: fc.constant("nothing" as const) },
    { weight: 6, arbitrary: fc.constant("event" as const) },
    { weight: 3, arbitrary: fc.constantFrom("suspend" as const, "resume" as const, "resume" as const) },
    { weight: 1, arbitrary: fc.constant("terminate" as const) },
  ),
});

/** One instance of `Scripted` as the emulator keeps it, with its next episode ready to be sent in either form. */
export class ScriptedBackend {
  readonly instanceId = "run-0-0";
  ended = false;
  #rewound = false;
  #executions = 0;
  #nowUs = 1_764_000_000_000_000;
  #state = new Orchestration();
  #history = new History(new Uint8Array(0));
  #newEvents: Uint8Array[] = [];
  /** Bytes of history that the worker which ran the last episode knows. */
  known = 0;

  constructor(script: readonly Step[]) {
    this.#start(stringValue(JSON.stringify(script)));
  }

  get executionId(): string {
    return `execution-${this.#executions}`;
  }

  /** Events of the next episode, past and new. */
  get eventCount(): number {
    return [...unframe(this.#history.bytes)].length + this.#newEvents.length;
  }

  /** The work item with the whole history. */
  item(token = ""): Buffer {
    return this.#item(token, 0);
  }

  /** The work item without the history that the worker knows. */
  itemWithoutKnown(token = ""): Buffer {
    return this.#item(token, this.known);
  }

  /** Makes the episode begin later: it is given out anew, as if nobody had run it. */
  beginAgain(): void {
    this.#newEvents[0] = orchestratorStarted(this.#tick());
  }

  /** Takes the answer to the episode, and lets what it waits for arrive. */
  complete(response: Uint8Array, { count, lastFirst, fails, message = "nothing" }: Arrival): void {
    const { actions } = readMessage(OrchestratorResponseSchema, response);
    const asked = readActions(actions);
    if (asked.some(({ kind }) => kind === "rewind")) {
      this.ended = true;
      return;
    }
    const { events, end } = applyActions(this.#state, asked, {
      nowUs: this.#tick(),
      executionId: this.executionId,
    });
    this.#history.append(frame(PAST_EVENT, this.#newEvents));
    this.known = this.#history.bytes.length;
    this.#history.append(frame(PAST_EVENT, events));
    this.#newEvents = [];
    if (end?.status === Status.ContinuedAsNew) {
      this.#start(end.result);
      return;
    }
    const outstanding = [
      ...[...this.#state.tasks.keys()].map((id) => this.#taskEnds(id, fails)),
      ...[...this.#state.children.keys()].map((id) => this.#childEnds(id, fails)),
      ...[...this.#state.timers].map(([id, fireAtUs]) => timerFired(id, fireAtUs, this.#tick())),
    ];
    const said = this.#messageEvents(message);
    const arriving = (lastFirst ? outstanding.toReversed() : outstanding).slice(0, count);
    if (end?.status === Status.Failed && !this.#rewound) {
      // Once: what the worker answers is the history to go on from, which this backend does not.
      this.#rewound = true;
      this.#history.append(frame(PAST_EVENT, [executionCompleted(end.status, end.result, end.failure, this.#tick())]));
      arriving.splice(0, Infinity, executionRewound(stringValue("again"), undefined, this.#tick()));
    } else {
      this.ended = end !== undefined || arriving.length + said.length === 0;
      arriving.push(...said);
    }
    this.#newEvents = [orchestratorStarted(this.#tick()), ...arriving];
    for (const event of arriving) this.#state.observe(event);
  }

  #taskEnds(id: number, fails: boolean): Uint8Array {
    if (!fails) return taskCompleted(id, stringValue(JSON.stringify({ id })), this.#tick());

    const failure = failureDetails("Error", `task ${id} failed`);
    return taskFailed(id, failure, this.#tick());
  }

  #childEnds(id: number, fails: boolean): Uint8Array {
    return fails
      ? childFailed(id, failureDetails("Error", `child ${id} failed`), this.#tick())
      : childCompleted(id, stringValue(JSON.stringify({ id })), this.#tick());
  }

  #messageEvents(message: Message): readonly Uint8Array[] {
    const nowUs = this.#tick();
    const events: Readonly<Record<Message, readonly Uint8Array[]>> = {
      nothing: [],
      event: [eventRaised({ name: "go", input: stringValue("7") }, nowUs)],
      suspend: [executionSuspended(undefined, nowUs)],
      resume: [executionResumed(undefined, nowUs)],
      terminate: [executionTerminated(stringValue('"enough"'), false, nowUs)],
    };
    return events[message];
  }

  #start(input: Uint8Array | undefined): void {
    this.#executions += 1;
    this.#state = new Orchestration();
    this.#history = new History(new Uint8Array(0));
    this.known = 0;
    const { instanceId, executionId } = this;
    const start = { name: "Scripted", version: undefined, input, instanceId, executionId, scheduledStartUs: 0 };
    this.#newEvents = [
      orchestratorStarted(this.#tick()),
      executionStarted({ ...start, parent: undefined, traceContext: undefined, tags: [] }, this.#tick()),
    ];
  }

  #item(token: string, known: number): Buffer {
    const head = episodeHead(this.instanceId, this.executionId);
    return Buffer.concat(
      episodeWorkItem({
        head,
        history: this.#history.bytes,
        newEvents: this.#newEvents,
        token,
        knownBytes: known,
      }),
    );
  }

  #tick(): number {
    return (this.#nowUs += 1_000);
  }
}
