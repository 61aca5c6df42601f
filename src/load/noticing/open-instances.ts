import type { InstanceState, RuntimeStatus } from "../../backend/orchestration-client.js";
import type { Clock } from "../../async/clock.js";
import { bucketOf, sequenceOf } from "../../plan/run-id.js";

export const ENDED: readonly RuntimeStatus[] = ["Completed", "Failed", "Terminated", "Canceled"];

export function isEnded({ status }: InstanceState): boolean {
  return ENDED.includes(status);
}

/** Of the time that instances take, how much the latest one counts for. */
const LATEST = 0.1;
const OVERDUE_FACTOR = 3;
const LEAST_OVERDUE_MS = 2_000;

/** When an instance that has ended did so, on the backend's clock. */
export function endedMsOf({ completedMs, lastUpdatedMs }: InstanceState): number {
  return completedMs ?? lastUpdatedMs;
}

interface Open extends PromiseWithResolvers<InstanceState | undefined> {
  readonly sinceMs: number;
}

/** The instances that polls are to find the end of, the oldest first. */
export class OpenInstances {
  readonly #open = new Map<string, Open>();
  /** How many have ended or were found gone so far. */
  settled = 0;
  readonly #inBucket = new Map<number, number>();
  /** The duration of recently ended instances by the backend's times, so that late noticing does not count. */
  #usualMs = 0;
  /** It goes on behind where it was, whatever is added or deleted meanwhile. */
  #cursor = this.#open.entries();

  constructor(
    readonly runId: string,
    readonly clock: Clock,
  ) {}

  get size(): number {
    return this.#open.size;
  }

  /** Any one of them; the oldest. */
  get oldestId(): string | undefined {
    return this.#open.keys().next().value;
  }

  /** The buckets of the run that have an open instance, each with how many. */
  buckets(): readonly (readonly [number, number])[] {
    return [...this.#inBucket];
  }

  has(instanceId: string): boolean {
    return this.#open.has(instanceId);
  }

  /** Resolves or rejects as the instance is settled. */
  add(instanceId: string): Promise<InstanceState | undefined> {
    const known = this.#open.get(instanceId);
    if (known) return known.promise;
    const open = { ...Promise.withResolvers<InstanceState | undefined>(), sinceMs: this.clock() };
    this.#open.set(instanceId, open);
    this.#countInBucket(instanceId, 1);
    return open.promise;
  }

  /** Settles an instance that has ended, or is gone; tells whether it was open and has. */
  settle(instanceId: string, state: InstanceState | undefined): boolean {
    if (state && !isEnded(state)) return false;
    const open = this.#remove(instanceId);
    if (!open) return false;
    this.settled += 1;
    if (state) this.#usualMs += (endedMsOf(state) - state.createdMs - this.#usualMs) * LATEST;
    open.resolve(state);
    return true;
  }

  reject(instanceId: string, error: unknown): void {
    this.#remove(instanceId)?.reject(error);
  }

  rejectAll(reason: unknown): void {
    for (const [, { reject }] of this.takeAll()) reject(reason);
  }

  /** Takes all of them out: whoever does has to settle them. */
  takeAll(): readonly (readonly [string, Open])[] {
    const all = [...this.#open];
    this.#open.clear();
    this.#inBucket.clear();
    return all;
  }

  /** The next ones, the oldest first and after the last ones the oldest again; each once at most. */
  next(count: number): readonly string[] {
    return this.#take(count, Number.POSITIVE_INFINITY);
  }

  /** The same for instances that are open for much longer than usual. */
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
      // It is the end, or the others behind it are younger still.
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
