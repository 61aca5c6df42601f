import { PAST_EVENT, frame, framedBytes } from "../../../src/protocol/event-frames.js";
import type { Lease } from "../../../src/emulator/dispatch/leases.js";
import type { WorkKind } from "../../../src/emulator/dispatch/work.js";
import { Worker, type WorkerOptions } from "../../../src/emulator/dispatch/worker.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";
import { readWorkItem } from "../../../src/protocol/read-work-item.js";
import type { HistoryEvent, Scene } from "./scene.js";

export type Traits = Required<Pick<WorkerOptions, "limits" | "remembersHistory">>;

export interface HeldEpisode {
  readonly kind: "episode";
  readonly token: string;
  readonly instanceId: string;
  readonly executionId: string;
  /** Undefined where the hub left out what this worker does not have: it has to ask for all of it. */
  readonly history: readonly HistoryEvent[] | undefined;
  readonly newEvents: readonly HistoryEvent[];
}

export interface HeldActivity {
  readonly kind: "activity";
  readonly token: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
}

export type HeldItem = HeldEpisode | HeldActivity;

interface Remembered {
  readonly executionId: string;
  readonly events: readonly HistoryEvent[];
}

/** A worker on a connection of its own. It looks at each item that it is sent: what is wrong with it goes into the trace. */
export class ModelWorker {
  readonly worker: Worker;
  readonly leases = new Set<Lease>();
  /** What it was sent and has not let go. */
  readonly held = new Set<HeldItem>();
  readonly #scene: Scene;
  readonly #traits: Traits;
  readonly #remembered = new Map<string, Remembered>();
  /** Executions whose history is to come whole, by the id of the instance. */
  readonly #askedFor = new Map<string, string>();

  constructor(id: string, traits: Traits, scene: Scene) {
    this.#scene = scene;
    this.#traits = traits;
    this.worker = new Worker({
      id,
      ...traits,
      connectionItems: this.leases,
      stream: {
        write: (bytes) => {
          this.#receive(bytes);
          return true;
        },
        end: () => {},
      },
    });
  }

  /** Ids of the instances whose histories it has. */
  get remembered(): readonly string[] {
    return [...this.#remembered.keys()];
  }

  /** Keeps what it knows by now of an execution that goes on, if it is a worker that does. */
  remember({ instanceId, executionId, history = [], newEvents }: HeldEpisode): void {
    this.#askedFor.delete(instanceId);
    if (this.#traits.remembersHistory)
      this.#remembered.set(instanceId, { executionId, events: [...history, ...newEvents] });
  }

  forget(instanceId: string): void {
    this.#remembered.delete(instanceId);
  }

  /** The hub was told that it does not have the history: it is to come whole, until it has been answered again. */
  expectWholeHistory({ instanceId, executionId }: HeldEpisode): void {
    this.#askedFor.set(instanceId, executionId);
  }

  #receive(bytes: Uint8Array): void {
    const item = pb.WorkItem.deserializeBinary(bytes);
    const episode = item.getOrchestratorrequest();
    const token = item.getCompletiontoken();
    const held = episode === undefined ? activityOf(item, token) : this.#episodeOf(episode, token, knownBytesOf(bytes));
    this.held.add(held);
    const task = held.kind === "activity" ? `#${held.taskId}` : "";
    this.#scene.trace.note(`send ${held.kind}`, `${held.instanceId}${task} to ${this.worker.id}, ${token}`);
    this.#checkLimit(held.kind);
  }

  #episodeOf(request: InstanceType<typeof pb.OrchestratorRequest>, token: string, known: number): HeldEpisode {
    const past = request.getPasteventsList();
    const instanceId = request.getInstanceid();
    const executionId = request.getExecutionid()?.getValue() ?? "";
    const remembered = known === 0 ? [] : this.#recall(instanceId, executionId, known);
    const history = remembered && [...remembered, ...past];
    this.#checkHistory(instanceId, executionId, history, known + framedBytes(bytesOf(past)));
    return { kind: "episode", token, instanceId, executionId, history, newEvents: request.getNeweventsList() };
  }

  /** The events of so many bytes that were left out; undefined if it has others. */
  #recall(instanceId: string, executionId: string, known: number): readonly HistoryEvent[] | undefined {
    const remembered = this.#remembered.get(instanceId);
    const isIt = remembered?.executionId === executionId && framedBytes(bytesOf(remembered.events)) === known;
    if (this.#askedFor.get(instanceId) === executionId)
      this.#scene.trace.fault(`${this.worker.id} asked for the history of ${instanceId}, and was sent less`);

    this.#scene.trace.note(isIt ? "known history" : "forgotten history", instanceId);
    return isIt ? remembered.events : undefined;
  }

  /** What it has in the end is the history that is stored, unless the instance has gone on without it. */
  #checkHistory(
    instanceId: string,
    executionId: string,
    history: readonly HistoryEvent[] | undefined,
    bytes: number,
  ): void {
    const row = this.#scene.find(instanceId);
    if (row?.executionId !== executionId) return;

    const stored = this.#scene.store.history(row.key);
    if (framedBytes(stored) !== bytes)
      this.#scene.trace.fault(`${instanceId} was sent with ${bytes} bytes of history, has ${framedBytes(stored)}`);
    else if (history !== undefined && !isSame(bytesOf(history), stored))
      this.#scene.trace.fault(`${instanceId} was sent with a history that is not its own`);
  }

  #checkLimit(kind: WorkKind): void {
    const count = [...this.held].filter((item) => item.kind === kind).length;
    const limit = this.#traits.limits[kind] ?? Infinity;
    if (count > limit)
      this.#scene.trace.fault(`${this.worker.id} was sent ${count} of kind ${kind}, and takes ${limit}`);
  }
}

function activityOf(item: InstanceType<typeof pb.WorkItem>, token: string): HeldActivity {
  const request = item.getActivityrequest()!;
  const instance = request.getOrchestrationinstance()!;
  return {
    kind: "activity",
    token,
    instanceId: instance.getInstanceid(),
    executionId: instance.getExecutionid()?.getValue() ?? "",
    taskId: request.getTaskid(),
  };
}

/** A field that the SDK's messages do not have. */
function knownBytesOf(bytes: Uint8Array): number {
  const item = readWorkItem(bytes);
  return item.kind === "orchestrator" ? item.knownHistory : 0;
}

function bytesOf(events: readonly HistoryEvent[]): Uint8Array[] {
  return events.map((event) => event.serializeBinary());
}

function isSame(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return Buffer.compare(frame(PAST_EVENT, some), frame(PAST_EVENT, others)) === 0;
}
