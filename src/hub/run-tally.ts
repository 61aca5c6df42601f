import type { InstanceState, RuntimeStatus } from "../backend/orchestration-client.js";
import { isOfLoadTest } from "./of-load-test.js";
import { isEnded } from "../backend/ended-status.js";

interface Seen {
  readonly status: RuntimeStatus;
  readonly createdMs: number;
  readonly lastUpdatedMs: number;
  /** The last pass that listed it. */
  readonly pass: number;
}

/**
 * The instances that a pass over a run asked for: `all` of them, those `not completed`, or `some` by id. It decides the
 * meaning of an instance that a pass did not list.
 */
export type PassOver = "all" | "not completed" | "some";

/**
 * Counts the instances of one run over several passes. An aborted pass does not change instances that it did not reach.
 */
export class RunTally {
  readonly #seen = new Map<string, Seen>();
  #pass = 0;
  #timesKnown = true;
  readonly #unrecognised = new Set<string>();

  beginPass(): void {
    this.#pass += 1;
  }

  add(state: InstanceState): void {
    const { instanceId, status, createdMs = 0, lastUpdatedMs = 0 } = state;
    if (!isOfLoadTest(state)) this.#unrecognised.add(state.name);
    this.#seen.set(instanceId, { status, createdMs, lastUpdatedMs, pass: this.#pass });
  }

  endPass(over: PassOver): void {
    if (over === "all") this.#timesKnown = true;
    if (over === "some") return;
    for (const [instanceId, seen] of this.#seen) {
      if (seen.pass === this.#pass) continue;
      if (over === "all") {
        this.#seen.delete(instanceId);
      } else if (!isEnded(seen.status)) {
        // The read of uncompleted instances did not list it, so it has completed, at an unknown time.
        this.#seen.set(instanceId, { ...seen, status: "Completed" });
        this.#timesKnown = false;
      }
    }
  }

  get total(): number {
    return this.#seen.size;
  }

  has(instanceId: string): boolean {
    return this.#seen.has(instanceId);
  }

  /** Whether it knows the times of all instances. A completion that was only concluded has no time. */
  get timesKnown(): boolean {
    return this.#timesKnown;
  }

  /** Only statuses that occur, the most frequent first. */
  byStatus(): Partial<Record<RuntimeStatus, number>> {
    const counts = new Map<RuntimeStatus, number>();
    for (const { status } of this.#seen.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
    return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
  }

  count(condition: (status: RuntimeStatus) => boolean): number {
    let count = 0;
    for (const { status } of this.#seen.values()) if (condition(status)) count += 1;
    return count;
  }

  /** Orchestrators of instances that may not belong to a load test. */
  get unrecognised(): readonly string[] {
    return [...this.#unrecognised].sort();
  }

  /** Any instance of the run, to read properties that all of them share. */
  get anyId(): string | undefined {
    return this.#seen.keys().next().value;
  }

  /** In the order of ids. */
  ids(condition: (status: RuntimeStatus) => boolean = () => true): readonly string[] {
    return [...this.#seen].flatMap(([id, { status }]) => (condition(status) ? [id] : [])).sort();
  }

  /** Milliseconds since the epoch on the backend's clock, as far as known; infinite without instances. */
  span(): { readonly firstCreatedMs: number; readonly lastUpdatedMs: number } {
    let firstCreatedMs = Number.POSITIVE_INFINITY;
    let lastUpdatedMs = Number.NEGATIVE_INFINITY;
    for (const seen of this.#seen.values()) {
      firstCreatedMs = Math.min(firstCreatedMs, seen.createdMs);
      lastUpdatedMs = Math.max(lastUpdatedMs, seen.lastUpdatedMs);
    }
    return { firstCreatedMs, lastUpdatedMs };
  }
}
