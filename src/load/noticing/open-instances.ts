import type { InstanceState } from "../../backend/orchestration-client.js";
import type { Clock } from "../../async/clock.js";
import { endedMsOf, isEnded } from "../../backend/ended-status.js";
import { bucketOf, sequenceOf } from "../../plan/run-id.js";

/** The weight of the latest instance in the usual duration. */
const LATEST = 0.1;
const OVERDUE_FACTOR = 3;
const LEAST_OVERDUE_MS = 2_000;

interface Open extends PromiseWithResolvers<InstanceState | undefined> {
  readonly sinceMs: number;
}

/** The instances whose end the polls look for, the oldest first. */
export class OpenInstances {
  readonly #open = new Map<string, Open>();
  /** The number that have ended or are gone. */
  settled = 0;
  readonly #inBucket = new Map<number, number>();
  /** The duration of recently ended instances on the backend's clock, so that late noticing does not count. */
  #usualMs = 0;
  /** It keeps its place while instances are added and deleted. */
  #cursor = this.#open.entries();

  constructor(
    readonly runId: string,
    readonly clock: Clock,
  ) {}

  get size(): number {
    return this.#open.size;
  }

  /** The oldest one, as a sample. */
  get oldestId(): string | undefined {
    return this.#open.keys().next().value;
  }

  /** The buckets of the run that have open instances, with their numbers. */
  buckets(): readonly (readonly [number, number])[] {
    return [...this.#inBucket];
  }

  has(instanceId: string): boolean {
    return this.#open.has(instanceId);
  }

  /** Settles when the instance is settled. */
  add(instanceId: string): Promise<InstanceState | undefined> {
    const known = this.#open.get(instanceId);
    if (known) return known.promise;
    const open = { ...Promise.withResolvers<InstanceState | undefined>(), sinceMs: this.clock() };
    this.#open.set(instanceId, open);
    this.#countInBucket(instanceId, 1);
    return open.promise;
  }

  /** Settles an instance that has ended or is gone. Returns whether it was open and has ended. */
  settle(instanceId: string, state: InstanceState | undefined): boolean {
    if (state && !isEnded(state.status)) return false;
    const open = this.#remove(instanceId);
    if (!open) return false;
    this.settled += 1;
    if (state) this.#learnUsual(state);
    open.resolve(state);
    return true;
  }

  #learnUsual(state: InstanceState): void {
    const { createdMs } = state;
    const endedMs = endedMsOf(state);
    if (createdMs === undefined || endedMs === undefined) return;
    this.#usualMs += (endedMs - createdMs - this.#usualMs) * LATEST;
  }

  reject(instanceId: string, error: unknown): void {
    this.#remove(instanceId)?.reject(error);
  }

  rejectAll(reason: unknown): void {
    for (const [, { reject }] of this.takeAll()) reject(reason);
  }

  /** Removes all of them. The caller must settle them. */
  takeAll(): readonly (readonly [string, Open])[] {
    const all = [...this.#open];
    this.#open.clear();
    this.#inBucket.clear();
    return all;
  }

  /**
   * The next instances in turn, from the oldest to the youngest and then again from the oldest. Each one at most once.
   */
  next(count: number): readonly string[] {
    return this.#take(count, Number.POSITIVE_INFINITY);
  }

  /** As `next`, for instances that have been open for much longer than usual. */
  nextOverdue(count: number): readonly string[] {
    const beforeMs = this.clock() - Math.max(LEAST_OVERDUE_MS, OVERDUE_FACTOR * this.#usualMs);
    return this.#take(count, beforeMs);
  }

  #take(count: number, beforeMs: number): readonly string[] {
    const taken = new Set<string>();
    let restarted = false;
    while (taken.size < count) {
      const next = this.#cursor.next();
      if (!next.done && next.value[1].sinceMs < beforeMs) {
        if (taken.has(next.value[0])) break;
        taken.add(next.value[0]);
        continue;
      }
      // Either this is the last one, or all later ones are younger.
      this.#cursor = this.#open.entries();
      if (restarted) break;
      restarted = true;
    }
    return [...taken];
  }

  #remove(instanceId: string): Open | undefined {
    const open = this.#open.get(instanceId);
    if (!open) return undefined;
    this.#open.delete(instanceId);
    this.#countInBucket(instanceId, -1);
    return open;
  }

  #countInBucket(instanceId: string, change: 1 | -1): void {
    const bucket = bucketOf(sequenceOf(instanceId) ?? 0);
    const count = (this.#inBucket.get(bucket) ?? 0) + change;
    if (count > 0) this.#inBucket.set(bucket, count);
    else this.#inBucket.delete(bucket);
  }
}
