import { quarterOfHeap } from "./heap-bytes.js";

/** The number of work items of each kind that a worker asks for and holds at a time. */
export interface IntakeLimits {
  readonly orchestrators: number;
  readonly activities: number;
}

/** More than a load test has in progress in one worker, and few enough to give back or finish when the worker ends. */
export const DEFAULT_LIMITS: IntakeLimits = { orchestrators: 200, activities: 2_000 };

/**
 * A backend that counts sends the next item before its answer to a completion arrives. That is within the tolerance.
 */
const TOLERANCE = 1.25;
const MOST_BYTES = quarterOfHeap(64 * 1024 * 1024);

/** A stream that can be paused. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/**
 * The work items that a worker holds. If a backend exceeds the limits that it was given, the stream of work items is
 * not read until enough items are finished. HTTP/2 then holds the backend back, while calls and pings continue.
 */
export class Intake {
  readonly #limits: IntakeLimits;
  /** The total size of requests, as they arrived. */
  readonly #mostBytes: number;
  #orchestrators = 0;
  #activities = 0;
  #bytes = 0;
  #stream: Pausable | undefined;
  #paused = false;

  constructor(limits: IntakeLimits, mostBytes = MOST_BYTES) {
    this.#limits = limits;
    this.#mostBytes = mostBytes;
  }

  /** Sets the stream that items come from. */
  watch(stream: Pausable | undefined): void {
    this.#stream = stream;
    this.#paused = false;
    this.#review();
  }

  get held(): { readonly orchestrator: number; readonly activity: number } {
    return { orchestrator: this.#orchestrators, activity: this.#activities };
  }

  add(kind: "orchestrator" | "activity", bytes: number): void {
    this.#count(kind, 1, bytes);
  }

  remove(kind: "orchestrator" | "activity", bytes: number): void {
    this.#count(kind, -1, -bytes);
  }

  #count(kind: "orchestrator" | "activity", items: number, bytes: number): void {
    if (kind === "orchestrator") this.#orchestrators += items;
    else this.#activities += items;

    this.#bytes += bytes;
    this.#review();
  }

  #review(): void {
    if (!this.#paused && this.#isBeyond(TOLERANCE)) {
      this.#paused = true;
      this.#stream?.pause();
    } else if (this.#paused && !this.#isBeyond(1)) {
      this.#paused = false;
      this.#stream?.resume();
    }
  }

  #isBeyond(factor: number): boolean {
    const { orchestrators, activities } = this.#limits;
    return (
      this.#orchestrators > orchestrators * factor ||
      this.#activities > activities * factor ||
      this.#bytes > this.#mostBytes * factor
    );
  }
}
