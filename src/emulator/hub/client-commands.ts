import { randomUUID } from "node:crypto";
import {
  EventType,
  eventRaised,
  executionResumed,
  executionSuspended,
  type Signal,
} from "../../protocol/history-event.js";
import type { IdReuse } from "./id-reuse.js";
import type { DispatchedInstance } from "../dispatch/dispatched-instance.js";
import type { HubContext } from "./hub-context.js";
import type { InstanceTable, Start } from "./instance-table.js";
import { MOST_RAISED_EVENTS, SMALL_BYTES, checkName, checkWaiting } from "../limits/limits.js";
import type { Relations } from "./relations.js";
import type { HubLimits } from "../limits/scheduler-limits.js";
import { RpcError } from "../../protocol/rpc-error.js";
import { Status, isTerminal, statusName } from "../../protocol/orchestration-status.js";
import type { InstanceRow } from "../store/store.js";
import type { StringValueBytes } from "../../protocol/wire.js";

/** Instances in flight that one turn deletes at most. */
const DISCARDED_IN_ONE_TURN = 500;

export type Answer<T> = (error: Error | undefined, value: T | undefined) => void;

/** What clients ask of the instances of a hub. Each answers once it is on disk. */
export class ClientCommands {
  readonly #taskHub: string;
  readonly #context: HubContext;
  readonly #instances: InstanceTable;
  readonly #relations: Relations;

  readonly #limits: HubLimits;

  constructor(taskHub: string, context: HubContext, instances: InstanceTable, relations: Relations, limits: HubLimits) {
    this.#taskHub = taskHub;
    this.#context = context;
    this.#instances = instances;
    this.#relations = relations;
    this.#limits = limits;
  }

  /** Answers the instance id. ALREADY_EXISTS unless an instance of that id that is there lets it be. */
  start(start: Start, reuse: IdReuse, answer: Answer<string>): void {
    this.#limits.checkId(start.instanceId);
    checkName("The name of the orchestrator", start.name);
    this.#limits.checkPayload(start.instanceId, () => `The input of the orchestration '${start.name}'`, start.input);
    this.#context.commits.submit(() => {
      const existing = this.#find(start.instanceId);
      const replaced = existing !== undefined && reuse.statuses.includes(existing.status) ? existing : undefined;
      if (replaced !== undefined && reuse.action === "keep") return start.instanceId;

      this.#checkRoom(start.input);
      if (replaced !== undefined) this.#discard(replaced);

      // Workers know executions by their ids, and one may still be at the one that was replaced.
      const isUsed = start.executionId !== undefined && start.executionId === existing?.executionId;
      this.#instances.start(isUsed ? { ...start, executionId: undefined } : start);
      return start.instanceId;
    }, answer);
  }

  /** Nothing happens to an instance that has ended. */
  raiseEvent(instanceId: string, signal: Signal, answer: Answer<void>): void {
    checkName("The name of the event", signal.name);
    this.#limits.checkPayload(instanceId, () => `The event '${signal.name}'`, signal.input);
    this.#withRunning(instanceId, answer, (instance) => {
      checkRaised(instance);
      this.#checkRoom(signal.input);
      this.#instances.receive(instance, eventRaised(signal, this.#context.clock.nowUs()));
    });
  }

  terminate(instanceId: string, output: StringValueBytes | undefined, recurse: boolean, answer: Answer<void>): void {
    this.#limits.checkPayload(instanceId, () => "The output of the termination", output);
    this.#withRunning(instanceId, answer, (instance) => {
      this.#checkRoomIfLarge(output);
      this.#relations.tellTerminated(instance, output, recurse);
    });
  }

  /** From the answer on it gets no more episodes, until it is resumed or terminated. */
  suspend(instanceId: string, reason: StringValueBytes | undefined, answer: Answer<void>): void {
    this.#withRunning(instanceId, answer, (instance) => {
      if (instance.state.suspended) return;

      this.#checkRoom(reason);
      this.#setSuspended(instance, executionSuspended(reason, this.#context.clock.nowUs()));
    });
  }

  resume(instanceId: string, reason: StringValueBytes | undefined, answer: Answer<void>): void {
    this.#withRunning(instanceId, answer, (instance) => {
      if (!instance.state.suspended) return;

      this.#checkRoomIfLarge(reason);
      this.#setSuspended(instance, executionResumed(reason, this.#context.clock.nowUs()));
    });
  }

  /** Has a worker try again what had failed of a failed orchestration, sub-orchestrations included. */
  rewind(instanceId: string, reason: StringValueBytes | undefined, answer: Answer<void>): void {
    this.#context.commits.submit(() => {
      const row = this.#known(instanceId);
      if (row.status !== Status.Failed) {
        throw new RpcError(
          "FAILED_PRECONDITION",
          `The instance '${instanceId}' is ${statusName(row.status)}: only one that has failed can be rewound.`,
        );
      }
      this.#relations.rewind(row.key, reason);
    }, answer);
  }

  /**
   * Starts an instance anew, with the input that it was last started with: in its place, which it has to have ended for,
   * or under a new id. Answers the id.
   */
  restart(instanceId: string, withNewId: boolean, answer: Answer<string>): void {
    this.#context.commits.submit(() => {
      const row = this.#known(instanceId);
      if (!withNewId && !isTerminal(row.status)) {
        throw new RpcError(
          "FAILED_PRECONDITION",
          `The instance '${instanceId}' is ${statusName(row.status)}: only one that has ended can be restarted under its id.`,
        );
      }
      const { name, version, tags } = row;
      const { input } = this.#context.store.find(this.#taskHub, instanceId, true)!;
      const newId = withNewId ? randomUUID() : instanceId;
      this.#checkRoom(input);
      if (!withNewId) this.#context.store.deleteInstance(row.key);

      this.#instances.start({
        instanceId: newId,
        name,
        version,
        input,
        tags,
        executionId: undefined,
        scheduledStartUs: 0,
        traceContext: undefined,
      });
      return newId;
    }, answer);
  }

  /**
   * Ends instances at once, without an episode in which they could take notice; answers the ids of those that it did not
   * find running.
   */
  endAtOnce(
    instanceIds: readonly string[],
    reason: StringValueBytes | undefined,
    answer: Answer<readonly string[]>,
  ): void {
    this.#context.commits.submit(() => {
      const missed: string[] = [];
      for (const id of instanceIds) {
        const instance = this.#instances.get(id);
        if (instance === undefined) missed.push(id);
        else this.#relations.endAtOnce(instance, reason);
      }
      return missed;
    }, answer);
  }

  /** Deletes all that are in flight, turn by turn, and what is still to be run of those that are not. */
  discardAll(answer: Answer<void>): void {
    this.#context.commits.submit(
      () => {
        let left = DISCARDED_IN_ONE_TURN;
        for (const instance of this.#instances.values()) {
          this.#relations.endAtOnce(instance, undefined);
          this.#context.store.deleteInstance(instance.key);
          left -= 1;
          if (left === 0) break;
        }
        if (this.#instances.size === 0) this.#instances.callOffDetached();

        return this.#instances.size;
      },
      (error, size) => {
        if (size === undefined || size === 0) answer(error, undefined);
        else this.discardAll(answer);
      },
    );
  }

  /** @throws RpcError if too much waits for workers */
  #checkRoom(payload: StringValueBytes | undefined): void {
    checkWaiting(this.#context.waitingBytes.held, payload?.length ?? 0);
  }

  /** For what makes room: an instance is told once to end, and once to go on for each time that it was suspended. */
  #checkRoomIfLarge(payload: StringValueBytes | undefined): void {
    if ((payload?.length ?? 0) > SMALL_BYTES) this.#checkRoom(payload);
  }

  #setSuspended(instance: DispatchedInstance, event: Uint8Array): void {
    this.#instances.receive(instance, event);
    instance.state.observe(event);
    const going = instance.begun ? Status.Running : Status.Pending;
    const status = instance.state.suspended ? Status.Suspended : going;
    this.#context.store.setStatus(instance.key, status, Math.max(this.#context.clock.nowUs(), instance.createdUs));
    this.#instances.setStatus(instance, status);
  }

  /** Takes an instance away to make room for another of its id. */
  #discard(row: InstanceRow): void {
    const instance = this.#instances.get(row.instanceId);
    if (instance !== undefined) this.#relations.endAtOnce(instance, undefined);

    this.#context.store.deleteInstance(row.key);
  }

  #withRunning(instanceId: string, answer: Answer<void>, apply: (instance: DispatchedInstance) => void): void {
    this.#context.commits.submit(() => {
      const instance = this.#instances.get(instanceId);
      if (instance === undefined) this.#known(instanceId);
      else apply(instance);
    }, answer);
  }

  /** Throws NOT_FOUND. */
  #known(instanceId: string): InstanceRow {
    const row = this.#find(instanceId);
    if (row === undefined)
      throw new RpcError("NOT_FOUND", `There is no instance '${instanceId}' in task hub '${this.#taskHub}'.`);

    return row;
  }

  #find(instanceId: string): InstanceRow | undefined {
    return this.#context.store.find(this.#taskHub, instanceId, false);
  }
}

/** @throws RpcError if nobody takes what is raised; results of its activities are always received */
function checkRaised({ id, waiting }: DispatchedInstance): void {
  if (waiting.length < MOST_RAISED_EVENTS) return;

  const raised = waiting.reduce((count, { type }) => count + (type === EventType.EventRaised ? 1 : 0), 0);
  if (raised >= MOST_RAISED_EVENTS) {
    throw new RpcError(
      "RESOURCE_EXHAUSTED",
      `${raised} events wait for the instance '${id}' that no worker has taken: the limit is ${MOST_RAISED_EVENTS}.`,
    );
  }
}
