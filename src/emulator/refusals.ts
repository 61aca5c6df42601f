import type { Lease } from "./leases.js";
import type { Worker } from "./worker.js";

/** How long work rests that was refused twice in a row, and at most; twice as long each time. */
const FIRST_REST_MS = 50;
const MOST_REST_MS = 5_000;

interface Refused {
  times: number;
  readonly by: Set<Worker>;
}

/**
 * The workers that have given work back because they do not want it. What is known of it goes when the work is done: an
 * activity is known by its request, an episode by the first event that it is for.
 */
export class Refusals {
  readonly #refused = new WeakMap<object, Refused>();

  /** Returns how long the work is to rest, milliseconds: the next worker to get it may be the same. */
  add({ worker, ...work }: Lease): number {
    const key = work.kind === "activity" ? work.instance.task(work.executionId, work.taskId) : work.instance.waiting[0];
    const refused = (key && this.#refused.get(key)) ?? { times: 0, by: new Set() };
    if (key !== undefined) {
      this.#refused.set(key, refused);
    }
    refused.times += 1;
    refused.by.add(worker);
    return refused.times === 1 ? 0 : Math.min(FIRST_REST_MS * 2 ** (refused.times - 2), MOST_REST_MS);
  }

  /** Of the request of an activity, or the first event of an episode. */
  of(work: object | undefined): ReadonlySet<Worker> | undefined {
    return work && this.#refused.get(work)?.by;
  }
}
