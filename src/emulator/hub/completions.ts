import { ExecutionTerminatedEventSchema } from "../../protocol/durabletask_pb.js";
import { PAST_EVENT, frame, framedBytes } from "../../protocol/event-frames.js";
import { EventType, executionStarted, taskCompleted, taskFailed, viewEvent } from "../../protocol/history-event.js";
import type { Dispatch } from "../dispatch/dispatch.js";
import type { DispatchedInstance } from "../dispatch/dispatched-instance.js";
import { newExecutionId } from "../instance/instance.js";
import type { HubContext } from "./hub-context.js";
import type { InstanceTable } from "./instance-table.js";
import type { ActivityLease, EpisodeLease } from "../dispatch/leases.js";
import { applyActions, failedEnd, type Outcome } from "../instance/orchestration.js";
import type { Action, End } from "../../protocol/orchestrator-actions.js";
import type { Relations } from "./relations.js";
import { readMessage } from "../../protocol/messages.js";
import { rewindHistory } from "../../protocol/rewind.js";
import { limitFailure, type HubLimits } from "../limits/scheduler-limits.js";
import { Status } from "../../protocol/orchestration-status.js";
import type { StringValueBytes } from "../../protocol/wire.js";

export interface EpisodeCompletion {
  readonly actions: readonly Action[];
  readonly customStatus: StringValueBytes | undefined;
  /** OrchestrationTraceContext */
  readonly traceContext: Uint8Array | undefined;
}

export interface ActivityCompletion {
  readonly result: StringValueBytes | undefined;
  readonly failure: Uint8Array | undefined;
}

/** Takes in what workers have done. All of it runs inside a command of the group commit. */
export class Completions {
  readonly #context: HubContext;
  readonly #instances: InstanceTable;
  readonly #relations: Relations;
  readonly #dispatch: Dispatch;

  readonly #limits: HubLimits;

  constructor(
    context: HubContext,
    instances: InstanceTable,
    relations: Relations,
    dispatch: Dispatch,
    limits: HubLimits,
  ) {
    this.#context = context;
    this.#instances = instances;
    this.#relations = relations;
    this.#dispatch = dispatch;
    this.#limits = limits;
  }

  /** Takes in the outcome of an activity; true if it is a result, and one that the instance has waited for. */
  activity(lease: ActivityLease, completion: ActivityCompletion): boolean {
    const { instance, taskId, executionId } = lease;
    const { result, failure } = this.#activityWithinLimits(lease, completion);
    const succeeded = failure === undefined;
    if (instance.ended || executionId !== instance.executionId || !instance.state.completeTask(taskId, succeeded)) {
      this.#instances.dropDetached(instance, executionId, taskId);
      return false;
    }
    const nowUs = this.#context.clock.nowUs();
    const event = succeeded ? taskCompleted(taskId, result, nowUs) : taskFailed(taskId, failure, nowUs);
    this.#instances.receive(instance, event);
    return succeeded;
  }

  /** Takes in what an episode decided: its actions, and the end if it is one; true if the instance has ended by it. */
  episode(lease: EpisodeLease, answered: EpisodeCompletion): boolean {
    const { instance } = lease;
    if (instance.ended) return false;

    const completion = this.#episodeWithinLimits(instance, answered);
    const taken = instance.takeWaiting(lease.eventCount, lease.resultCount);
    this.#instances.episodeEnded(instance);
    const rewind = completion.actions.find((action) => action.kind === "rewind");
    if (rewind !== undefined && taken.some((event) => viewEvent(event).type === EventType.ExecutionRewound)) {
      this.#rewind(instance, rewind.history);
      return false;
    }
    // The system's clock may have been set back.
    const nowUs = Math.max(this.#context.clock.nowUs(), instance.createdUs);
    const outcome = applyActions(instance.state, completion.actions, { nowUs, executionId: instance.executionId });
    const { end } = outcome;
    this.#dispatch.learn(lease, outcome);
    this.#schedule(instance, outcome);
    if (end?.status === Status.ContinuedAsNew) {
      this.#relate(instance, outcome);
      this.#continueAsNew(instance, end, taken, completion.customStatus, nowUs);
      return false;
    }
    this.#record(lease, taken, outcome, completion, nowUs);
    if (end === undefined) {
      this.#instances.touch(instance);
      this.#relate(instance, outcome);
      return false;
    }
    this.#instances.remove(instance);
    this.#relate(instance, outcome);
    this.#relations.tellParent(instance, end);
    if (end.status === Status.Terminated) this.#terminateChildren(instance, taken);

    return true;
  }

  /** A result that is too large is a failure that says so. */
  #activityWithinLimits(
    { instance, executionId, taskId }: ActivityLease,
    completion: ActivityCompletion,
  ): ActivityCompletion {
    const what = (): string => `The output of the activity '${instance.task(executionId, taskId)?.name ?? ""}'`;
    const fault = this.#limits.payloadFault(instance.id, what, completion.result);
    return fault === undefined ? completion : { result: undefined, failure: limitFailure(fault) };
  }

  /** What asks for, or answers with, something that is too large fails the orchestration, and nothing else of it happens. */
  #episodeWithinLimits(instance: DispatchedInstance, completion: EpisodeCompletion): EpisodeCompletion {
    const fault = this.#limits.episodeFault(instance.id, completion);
    return fault === undefined
      ? completion
      : { ...completion, actions: [{ kind: "end", end: failedEnd(limitFailure(fault)) }], customStatus: undefined };
  }

  /** Appends what happened to the history, in memory and in the store. */
  #record(
    lease: EpisodeLease,
    taken: readonly Uint8Array[],
    { end, events }: Outcome,
    completion: EpisodeCompletion,
    nowUs: number,
  ): void {
    const { instance } = lease;
    const processed = [lease.started, ...taken];
    if (lease.worker.remembersHistory)
      instance.dispatch.remember(lease.worker, instance.history.length + framedBytes(processed));

    const history = frame(PAST_EVENT, [...processed, ...events]);
    const status = end?.status ?? (instance.state.suspended ? Status.Suspended : Status.Running);
    const trace = sameBytes(completion.traceContext, instance.trace) ? undefined : completion.traceContext;
    this.#context.store.applyEpisode(instance.key, {
      processedSeq: instance.processedSeq,
      historySeq: instance.nextHistorySeq,
      history,
      status,
      updatedUs: nowUs,
      completedUs: end === undefined ? 0 : nowUs,
      output: end?.result,
      failure: end?.failure,
      customStatus: completion.customStatus,
      tasksCompleted: instance.tasksProcessed,
      trace,
    });
    instance.append(history, trace);
    this.#instances.setStatus(instance, status);
  }

  #continueAsNew(
    instance: DispatchedInstance,
    end: End,
    taken: readonly Uint8Array[],
    customStatus: StringValueBytes | undefined,
    nowUs: number,
  ): void {
    const executionId = newExecutionId();
    const kept = instance.continueAsNew({
      executionId,
      version: end.newVersion ?? instance.version,
      tags: end.tags.length > 0 ? end.tags : instance.tags,
    });
    const started = executionStarted(
      {
        instanceId: instance.id,
        executionId,
        name: instance.name,
        version: instance.version,
        input: end.result,
        parent: instance.parent,
        scheduledStartUs: 0,
        traceContext: undefined,
        tags: instance.tags,
      },
      nowUs,
    );
    // A termination that this execution was told of, and that it has not followed, is for the next one.
    const events = [started, ...end.carryoverEvents, ...taken.filter(isTermination), ...kept];
    for (const event of events) instance.state.observe(event);

    const status = instance.state.suspended ? Status.Suspended : Status.Running;
    this.#context.store.restart(instance.key, {
      executionId,
      version: end.newVersion,
      input: end.result,
      tasksCompleted: instance.tasksCompleted,
      updatedUs: nowUs,
      status,
      customStatus,
      tags: instance.tags,
    });
    this.#instances.setStatus(instance, status);
    for (const event of events) this.#instances.receive(instance, event);
  }

  /** A worker has made the history with which an orchestration that had failed is tried again. */
  #rewind(instance: DispatchedInstance, newHistory: readonly Uint8Array[]): void {
    const { executionId, parent, history, rewound } = rewindHistory(newHistory, instance.executionId);
    this.#instances.callOffDetachedOf(instance);
    const kept = instance.rewind({ executionId, parent, history: frame(PAST_EVENT, history) });
    this.#context.store.rewind(instance.key, {
      executionId,
      history: instance.history.bytes,
      parent,
      tasksCompleted: instance.tasksProcessed,
      updatedUs: this.#context.clock.nowUs(),
    });
    // The event that told of the rewind comes again: there has to be one for the next episode.
    for (const event of [...rewound, ...kept])
      if (instance.state.observe(event)) this.#instances.receive(instance, event);

    const { tasks, timers } = instance.state;
    this.#instances.schedule(instance, tasks.keys(), timers.keys());
    this.#relations.rewindChildren(instance, history, rewound);
  }

  /** What was asked for is run, also where nobody waits for it any more; only a termination calls it off. */
  #schedule(instance: DispatchedInstance, { end, taskIds, timerIds }: Outcome): void {
    if (end === undefined) {
      this.#instances.schedule(instance, taskIds, timerIds);
    } else if (end.status !== Status.Terminated) {
      this.#instances.schedule(instance, taskIds, []);
      this.#instances.detachTasks(instance);
    }
  }

  #relate(instance: DispatchedInstance, { children, signals, terminations }: Outcome): void {
    for (const [taskId, child] of children) this.#relations.startChild(instance, taskId, child);

    for (const { toInstanceId, signal } of signals) this.#relations.signal(toInstanceId, signal);

    for (const termination of terminations) this.#relations.terminate(termination);
  }

  #terminateChildren(instance: DispatchedInstance, taken: readonly Uint8Array[]): void {
    const recursive = taken
      .filter(isTermination)
      .map((event) => readMessage(ExecutionTerminatedEventSchema, viewEvent(event).body))
      .find(({ recurse }) => recurse);
    if (recursive !== undefined) {
      for (const instanceId of instance.state.children.values())
        this.#relations.terminate({ instanceId, reason: recursive.input, recurse: true });
    }
  }
}

function isTermination(event: Uint8Array): boolean {
  return viewEvent(event).type === EventType.ExecutionTerminated;
}

function sameBytes(some: Uint8Array | undefined, others: Uint8Array | undefined): boolean {
  return some === undefined || others === undefined ? some === others : Buffer.compare(some, others) === 0;
}
