import {
  ExecutionRewoundEventSchema,
  ExecutionTerminatedEventSchema,
  OrchestrationInstanceSchema,
  ParentInstanceInfoSchema,
} from "../../protocol/durabletask_pb.js";
import { EMPTY_BYTES } from "../../protocol/empty-bytes.js";
import { PAST_EVENT, frame } from "../../protocol/event-frames.js";
import {
  EventType,
  childCompleted,
  childFailed,
  eventRaised,
  executionCompleted,
  executionRewound,
  executionTerminated,
  viewEvent,
  type ChildRequest,
  type Signal,
} from "../../protocol/history-event.js";
import type { DispatchedInstance } from "../dispatch/dispatched-instance.js";
import type { HubContext } from "./hub-context.js";
import type { InstanceTable } from "./instance-table.js";
import { readChildCreated, type Termination } from "../../protocol/orchestrator-actions.js";
import type { HubLimits } from "../limits/scheduler-limits.js";
import { failureDetails, readMessage, writeMessage } from "../../protocol/messages.js";
import { Status, isTerminal, statusName } from "../../protocol/orchestration-status.js";
import type { InstanceRow } from "../store/store.js";
import { stringValue, type StringValueBytes } from "../../protocol/wire.js";

/** How an instance has ended. */
type Ended = Pick<InstanceRow, "status" | "failure"> & { readonly result: StringValueBytes | undefined };

/**
 * What an instance of a hub does to others of it: sub-orchestrations, events and terminations. What it reaches has ended,
 * or does not exist, at times: then nothing happens. All of it runs inside a command of the group commit.
 */
export class Relations {
  readonly #taskHub: string;
  readonly #context: HubContext;
  readonly #instances: InstanceTable;

  readonly #limits: HubLimits;

  constructor(taskHub: string, context: HubContext, instances: InstanceTable, limits: HubLimits) {
    this.#taskHub = taskHub;
    this.#context = context;
    this.#instances = instances;
    this.#limits = limits;
  }

  /**
   * Starts a sub-orchestration. One of that id that has ended makes room for it, as a retry asks for the same id again;
   * one that has not is a failure of the task, and so is an id that none can have.
   */
  startChild(parent: DispatchedInstance, taskId: number, child: ChildRequest): void {
    const { instanceId } = child;
    const fail = (errorType: string, message: string): void => {
      const failure = failureDetails(errorType, message);
      this.#tell(parent, taskId, instanceId, { status: Status.Failed, result: undefined, failure });
    };
    const fault = this.#limits.idFault(instanceId);
    if (fault !== undefined) {
      fail("InvalidInstanceId", fault);
      return;
    }
    const existing = this.#find(instanceId);
    if (existing !== undefined && !isTerminal(existing.status)) {
      fail("OrchestrationAlreadyExists", `An instance '${instanceId}' already exists in task hub '${this.#taskHub}'.`);
      return;
    }
    if (existing !== undefined) this.#context.store.deleteInstance(existing.key);

    const start = { ...child, executionId: undefined, scheduledStartUs: 0 };
    this.#instances.start(start, { parentId: parent.id, parent: parentInfo(parent, taskId) });
  }

  /** Brings the outcome of a sub-orchestration to the instance that has started it. */
  tellParent(child: Pick<DispatchedInstance, "id" | "parentId" | "parent">, ended: Ended): void {
    const parent = this.#running(child.parentId);
    if (parent !== undefined && child.parent !== undefined)
      this.#tell(parent, readMessage(ParentInstanceInfoSchema, child.parent).taskScheduledId, child.id, ended);
  }

  signal(toInstanceId: string, signal: Signal): void {
    const target = this.#running(toInstanceId);
    if (target !== undefined) this.#instances.receive(target, eventRaised(signal, this.#context.clock.nowUs()));
  }

  terminate({ instanceId, reason, recurse }: Termination): void {
    const target = this.#running(instanceId);
    if (target !== undefined) this.tellTerminated(target, reason, recurse);
  }

  /** A second termination means nothing, unless the first one was not recursive. */
  tellTerminated(instance: DispatchedInstance, reason: StringValueBytes | undefined, recurse: boolean): void {
    const told = instance.waiting.filter(({ type }) => type === EventType.ExecutionTerminated);
    if (told.length > 0 && (!recurse || told.some(({ event }) => isRecursive(event)))) return;

    this.#instances.receive(instance, executionTerminated(reason, recurse, this.#context.clock.nowUs()));
  }

  /** Ends an instance as terminated without an episode for it. */
  endAtOnce(instance: DispatchedInstance, output: StringValueBytes | undefined): void {
    const nowUs = Math.max(this.#context.clock.nowUs(), instance.createdUs);
    const { Terminated: status } = Status;
    this.#context.store.applyEpisode(instance.key, {
      processedSeq: instance.lastSeq,
      historySeq: instance.nextHistorySeq,
      history: frame(PAST_EVENT, [
        ...instance.waiting.map(({ event }) => event),
        executionTerminated(output, false, nowUs),
        executionCompleted(status, output, undefined, nowUs),
      ]),
      status,
      updatedUs: nowUs,
      completedUs: nowUs,
      output,
      failure: undefined,
      customStatus: undefined,
      tasksCompleted: instance.tasksCompleted,
      trace: undefined,
    });
    this.#instances.remove(instance);
    this.tellParent(instance, { status, result: output, failure: undefined });
  }

  /** Tells an instance that has failed, and is in the store alone, to go back to where it had not. */
  rewind(key: number, reason: StringValueBytes | undefined, parentExecutionId?: StringValueBytes): void {
    const instance = this.#instances.reopen(key);
    this.#instances.receive(instance, executionRewound(reason, parentExecutionId, this.#context.clock.nowUs()));
  }

  /** An instance was rewound: so are those of its sub-orchestrations that have failed. */
  rewindChildren(parent: DispatchedInstance, history: readonly Uint8Array[], rewound: readonly Uint8Array[]): void {
    const [told] = rewound;
    const { reason } = readMessage(
      ExecutionRewoundEventSchema,
      told === undefined ? EMPTY_BYTES : viewEvent(told).body,
    );
    for (const event of history) {
      const { type, eventId, body } = viewEvent(event);
      if (type === EventType.ChildCreated && parent.state.children.has(eventId))
        this.#rewindChild(parent, eventId, readChildCreated(body), reason);
    }
  }

  #rewindChild(
    parent: DispatchedInstance,
    taskId: number,
    child: ChildRequest,
    reason: StringValueBytes | undefined,
  ): void {
    const row = this.#find(child.instanceId);
    // Its outcome goes to the task that it was started for: others have asked for the same id, before or in vain.
    const isOwn =
      row?.parent !== undefined && readMessage(ParentInstanceInfoSchema, row.parent).taskScheduledId === taskId;
    if (row === undefined || row.parentId !== parent.id || !(isOwn || isTerminal(row.status))) {
      this.startChild(parent, taskId, child);
    } else if (row.status === Status.Failed && isOwn) {
      this.rewind(row.key, reason, stringValue(parent.executionId));
    } else if (isTerminal(row.status)) {
      const { status, output, failure } = this.#context.store.find(this.#taskHub, child.instanceId, true)!;
      this.#tell(parent, taskId, child.instanceId, { status, result: output, failure });
    }
  }

  #tell(parent: DispatchedInstance, taskId: number, childId: string, { status, result, failure }: Ended): void {
    // One that has ended with the episode that asked for it receives nothing.
    if (parent.ended || !parent.state.completeChild(taskId, childId)) return;

    const nowUs = this.#context.clock.nowUs();
    const failed = (): Uint8Array =>
      failure ??
      failureDetails(
        `Orchestration${statusName(status)}`,
        `The sub-orchestration '${childId}' was ${statusName(status).toLowerCase()}.`,
      );
    const event =
      status === Status.Completed ? childCompleted(taskId, result, nowUs) : childFailed(taskId, failed(), nowUs);
    this.#instances.receive(parent, event);
  }

  #running(instanceId: string | undefined): DispatchedInstance | undefined {
    return instanceId === undefined ? undefined : this.#instances.get(instanceId);
  }

  #find(instanceId: string): InstanceRow | undefined {
    return this.#context.store.find(this.#taskHub, instanceId, false);
  }
}

function isRecursive(termination: Uint8Array): boolean {
  return readMessage(ExecutionTerminatedEventSchema, viewEvent(termination).body).recurse;
}

/** `ParentInstanceInfo` */
function parentInfo(parent: DispatchedInstance, taskScheduledId: number): Uint8Array {
  return writeMessage(ParentInstanceInfoSchema, {
    taskScheduledId,
    name: stringValue(parent.name),
    version: parent.version,
    orchestrationInstance: writeMessage(OrchestrationInstanceSchema, {
      instanceId: parent.id,
      executionId: stringValue(parent.executionId),
    }),
  });
}
