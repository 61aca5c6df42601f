import { invariant } from "../../invariant.js";
import { EventType, viewEvent } from "../../protocol/history-event.js";
import type { WaitingEvent } from "../store/store.js";
import { WaitingBytes } from "./waiting-bytes.js";

/** An event that waits, and what has to be known of it. */
export interface Arrival extends WaitingEvent {
  readonly type: number;
  /** Whether it is the outcome of an activity. */
  readonly isResult: boolean;
}

/** The events of an instance that no episode has processed, without a gap in `seq`; those that are on disk come first. */
export class WaitingEvents {
  #arrivals: Arrival[];
  #nextSeq: number;
  #processedSeq = 0;
  #durableSeq = 0;
  #bytes: WaitingBytes;

  /** `bytes` counts them with those of others. */
  constructor(events: readonly WaitingEvent[], bytes: WaitingBytes) {
    this.#bytes = bytes;
    this.#arrivals = events.map(arrivalOf);
    for (const { event } of events) bytes.add(event);

    this.#nextSeq = (events.at(-1)?.seq ?? 0) + 1;
  }

  get inOrder(): readonly Arrival[] {
    return this.#arrivals;
  }

  /** The last `seq` that episodes have processed. */
  get processedSeq(): number {
    return this.#processedSeq;
  }

  /** The `seq` of the last event that was received. */
  get lastSeq(): number {
    return this.#nextSeq - 1;
  }

  /** How many are on disk: the next episode may take those, and no others. */
  get durableCount(): number {
    const [first] = this.#arrivals;
    return first === undefined ? 0 : Math.min(Math.max(0, this.#durableSeq - first.seq + 1), this.#arrivals.length);
  }

  /** How many of them the next episode takes along. A rewind is told of alone: the worker answers it with a history. */
  get takeCount(): number {
    return this.#arrivals[0]?.type === EventType.ExecutionRewound ? Math.min(1, this.durableCount) : this.durableCount;
  }

  /** Whether a termination is on disk. */
  get terminating(): boolean {
    return this.#arrivals.slice(0, this.durableCount).some(({ type }) => type === EventType.ExecutionTerminated);
  }

  receive(event: Uint8Array): WaitingEvent {
    const arrival = arrivalOf({ seq: this.#nextSeq, event });
    this.#nextSeq += 1;
    this.#arrivals.push(arrival);
    this.#bytes.add(event);
    return arrival;
  }

  /** The events up to this `seq` are on disk; returns those that were not before. */
  settle(seq: number): readonly Arrival[] {
    const before = this.durableCount;
    this.#durableSeq = Math.max(this.#durableSeq, seq);
    return this.#arrivals.slice(before, this.durableCount);
  }

  /** Removes the first ones, which an episode has processed. */
  take(count: number): Uint8Array[] {
    invariant(count <= this.#arrivals.length, "An episode takes along events that wait.");
    const taken = this.#arrivals.splice(0, count);
    this.#processedSeq = taken.at(-1)?.seq ?? this.#processedSeq;
    return this.#dropped(taken);
  }

  /** Removes all of them, unprocessed. */
  withdraw(): Uint8Array[] {
    return this.#dropped(this.#arrivals.splice(0));
  }

  /** They are not counted any more, nor is what still comes. */
  stopCounting(): void {
    for (const { event } of this.#arrivals) this.#bytes.drop(event);

    this.#bytes = new WaitingBytes();
  }

  #dropped(arrivals: readonly Arrival[]): Uint8Array[] {
    const events = arrivals.map(({ event }) => event);
    for (const event of events) this.#bytes.drop(event);

    return events;
  }
}

function arrivalOf({ seq, event }: WaitingEvent): Arrival {
  const { type } = viewEvent(event);
  return { seq, event, type, isResult: type === EventType.TaskCompleted || type === EventType.TaskFailed };
}
