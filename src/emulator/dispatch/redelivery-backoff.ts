import type { Lease } from "./leases.js";
import type { Worker } from "./worker.js";

/** How long work rests that came back twice in a row, and at most; twice as long each time. */
interface Rest {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Given back by a worker that does not want it. */
const REFUSED: Rest = { firstMs: 50, mostMs: 5_000 };
/** Its worker has gone, perhaps because of it. */
const LOST: Rest = { firstMs: 250, mostMs: 10_000 };

interface Returned {
  refusals: number;
  losses: number;
  readonly refusedBy: Set<Worker>;
}

/**
 * What came back from workers undone, and how often. What is known of it goes when the work is done: an activity is known
 * by its request, an episode by the first event that it is for.
 */
export class RedeliveryBackoff {
  readonly #returned = new WeakMap<object, Returned>();

  /** A worker does not want it. Returns how long it is to rest, milliseconds: the next worker to get it may be the same. */
  refuse(lease: Lease): number {
    const returned = this.#of(lease);
    returned.refusals += 1;
    returned.refusedBy.add(lease.worker);
    return restMs(REFUSED, returned.refusals);
  }

  /** Its worker has gone. Returns how long it is to rest, milliseconds. */
  lose(lease: Lease): number {
    const returned = this.#of(lease);
    returned.losses += 1;
    return restMs(LOST, returned.losses);
  }

  /** Who has refused the request of an activity, or the first event of an episode. */
  refusersOf(work: object | undefined): ReadonlySet<Worker> | undefined {
    const refusedBy = work && this.#returned.get(work)?.refusedBy;
    return refusedBy?.size === 0 ? undefined : refusedBy;
  }

  #of(lease: Lease): Returned {
    const { instance } = lease;
    const key = lease.kind === "activity" ? instance.task(lease.executionId, lease.taskId) : instance.waiting[0];
    const returned = (key && this.#returned.get(key)) ?? { refusals: 0, losses: 0, refusedBy: new Set() };
    if (key !== undefined) this.#returned.set(key, returned);

    return returned;
  }
}

function restMs({ firstMs, mostMs }: Rest, times: number): number {
  return times === 1 ? 0 : Math.min(firstMs * 2 ** (times - 2), mostMs);
}
