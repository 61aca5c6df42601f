import { randomBytes } from "node:crypto";
import type { Homed } from "./dispatcher.js";
import { concernsAction, History } from "./history.js";
import type { EpisodeLease } from "./leases.js";
import { Orchestration } from "./orchestration.js";
import type { ActiveInstance, WaitingEvent } from "./store.js";
import { activityParent, episodeHead } from "./work-item.js";
import type { Worker } from "./worker.js";

/** Where the next episode of an instance is: nowhere, waiting for a worker, or with one. */
export type EpisodeState = "idle" | "ready" | "leased";

/** An instance that has not ended, with what is needed to go on with it. Its payloads are in the store only. */
export class Instance implements Homed {
  readonly key: number;
  readonly id: string;
  readonly name: string;
  readonly createdUs: number;
  readonly scheduledStartUs: number;
  status: number;
  executionId: string;
  version: Uint8Array | undefined;
  /** Activity results of earlier executions. */
  tasksCompletedBefore: number;

  state: Orchestration;
  history: History;
  nextHistorySeq: number;
  waiting: WaitingEvent[];
  #nextWaitingSeq: number;
  #processedSeq = 0;

  home: Worker | undefined;
  episode: EpisodeState = "idle";
  /** How long this one holds its episodes back now, milliseconds. */
  holdMs = 0;
  /** When the first activity result that no episode has taken came in, milliseconds of the steady clock. */
  heldSinceMs: number | undefined;
  holdTimer: NodeJS.Timeout | undefined;
  /** Whether something waits that is not held: anything but a result of an activity. */
  urgent: boolean;
  /** How many of the waiting events are results of activities, and not failures. */
  waitingResults: number;
  ended = false;

  /** What cancels its timers, by timer id. */
  readonly #alarms = new Map<number, () => void>();
  #head: Uint8Array;
  #parent: Uint8Array;

  constructor({ row, history, nextHistorySeq, waiting }: ActiveInstance) {
    this.key = row.key;
    this.id = row.instanceId;
    this.name = row.name;
    this.createdUs = row.createdUs;
    this.scheduledStartUs = row.scheduledStartUs;
    this.status = row.status;
    this.executionId = row.executionId;
    this.version = row.version;
    this.state = Orchestration.replay(history);
    this.tasksCompletedBefore = row.tasksCompleted - this.state.tasksCompleted;
    const processed = this.state.tasksCompleted;
    for (const { event } of waiting) {
      this.state.observe(event);
    }
    this.waitingResults = this.state.tasksCompleted - processed;
    this.history = new History(history);
    this.nextHistorySeq = nextHistorySeq;
    this.waiting = [...waiting];
    this.#nextWaitingSeq = (waiting.at(-1)?.seq ?? 0) + 1;
    this.urgent = waiting.length > 0;
    this.#head = episodeHead(this.id, this.executionId);
    this.#parent = activityParent(this.id, this.executionId);
  }

  /** The fields that begin each of its OrchestratorRequests. */
  get head(): Uint8Array {
    return this.#head;
  }

  /** The field of each of its ActivityRequests that names it. */
  get parent(): Uint8Array {
    return this.#parent;
  }

  /** Activity results of all executions, those that no episode has processed yet included. */
  get tasksCompleted(): number {
    return this.tasksCompletedBefore + this.state.tasksCompleted;
  }

  /** The last `seq` that episodes have processed. */
  get processedSeq(): number {
    return this.#processedSeq;
  }

  /** Adds an event for the next episode; a held one is a result, and may wait for others like it. */
  receive(event: Uint8Array, urgency: "held" | "urgent"): WaitingEvent {
    const waiting = { seq: this.#nextWaitingSeq, event };
    this.#nextWaitingSeq += 1;
    this.waiting.push(waiting);
    if (urgency === "held") {
      this.heldSinceMs ??= performance.now();
    } else {
      this.urgent = true;
    }
    return waiting;
  }

  /** Removes the events that an episode took along, now that it has processed them. */
  takeWaiting(lease: EpisodeLease): Uint8Array[] {
    const taken = this.waiting.splice(0, lease.eventCount);
    this.waitingResults -= lease.resultCount;
    this.episode = "idle";
    this.#processedSeq = taken.at(-1)?.seq ?? this.#processedSeq;
    return taken.map(({ event }) => event);
  }

  /** Adds the framed events of an episode to the history. */
  append(history: Uint8Array): void {
    this.history.append(history);
    this.nextHistorySeq += 1;
  }

  /** Begins the next execution; of the events that wait, those that were not about the old one are handed back. */
  continueAsNew(executionId: string, version: Uint8Array | undefined): Uint8Array[] {
    const kept = this.waiting.map(({ event }) => event).filter((event) => !concernsAction(event));
    this.cancelAlarms();
    this.tasksCompletedBefore = this.tasksCompleted;
    this.state = new Orchestration();
    this.history = new History(new Uint8Array(0));
    this.nextHistorySeq = 0;
    this.waiting = [];
    this.waitingResults = 0;
    this.urgent = false;
    this.heldSinceMs = undefined;
    this.executionId = executionId;
    this.version = version ?? this.version;
    this.#head = episodeHead(this.id, executionId);
    this.#parent = activityParent(this.id, executionId);
    return kept;
  }

  setAlarm(timerId: number, cancel: () => void): void {
    this.#alarms.get(timerId)?.();
    this.#alarms.set(timerId, cancel);
  }

  /** It has gone off. */
  dropAlarm(timerId: number): void {
    this.#alarms.delete(timerId);
  }

  cancelAlarms(): void {
    for (const cancel of this.#alarms.values()) {
      cancel();
    }
    this.#alarms.clear();
  }

  /** Stops all that would wake it. */
  stop(): void {
    this.ended = true;
    this.cancelAlarms();
    clearTimeout(this.holdTimer);
    this.holdTimer = undefined;
  }
}

export function newExecutionId(): string {
  return randomBytes(16).toString("hex");
}
