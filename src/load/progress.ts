import { setTimeout as sleep } from "node:timers/promises";
import type { Backend } from "../backend/backend.js";
import type { InstanceState, OrchestrationClient } from "../backend/orchestration-client.js";
import { iterationProgressOf } from "../hub/iteration-progress.js";
import type { Clock } from "../async/clock.js";
import { concurrently } from "../async/concurrently.js";
import { instanceIdPrefixOf } from "../plan/run-id.js";

const SAMPLE_SIZE = 200;
const SAMPLE_CONCURRENCY = 20;
const SAMPLE_PAUSE_MS = 1_000;
/** 0 means that there is a worker. */
const LEAST_ABSENCE_MS = 1;

/** What the run has seen of its own work so far. Changed by its owner only; read by anyone. */
export interface Progress {
  /** Activity results known to be in histories, completed instances aside where those are only sampled. Never falls. */
  activitiesCompleted(): number;
  /**
   * Milliseconds for which the task hub has had no worker for what the run starts, 0 while it has one; undefined before
   * anything is known.
   */
  workerlessMs(): number | undefined;
  /** Follows the run until the signal aborts. */
  follow(signal: AbortSignal): Promise<void>;
}

export interface ProgressSources {
  readonly backend: Backend;
  readonly runId: string;
  readonly clock: Clock;
  /** Accepted instances that have not ended. */
  readonly inFlight: ReadonlySet<string>;
  /** Somebody's own orchestration, which not every worker hosts. */
  readonly orchestrator?: string | undefined;
  /** Whether an instance has ended by what a worker did. */
  readonly hadWorker: () => boolean;
  /** What completed instances account for. */
  readonly activitiesAccountedFor: () => number;
  /** The emulator has counted so many activity results in all. */
  readonly onActivities?: (total: number) => void;
  /** Told once of what the emulator has taken and a Scheduler would not. */
  readonly onBeyondScheduler?: (sentence: string) => void;
  /** Between two samples; a test passes its own. */
  readonly pause?: (signal: AbortSignal) => Promise<void>;
}

export function progressOf(sources: ProgressSources): Progress {
  return sources.backend.admin ? new ExactProgress(sources) : new SampledProgress(sources);
}

/** The embedded emulator counts activity results as they are committed, and knows its workers. */
class ExactProgress implements Progress {
  #activities = 0;
  #wasBeyond = false;
  /** Since when the hub has had no worker, on the client's clock: "never" while it has one, undefined if unknown. */
  #workerlessSinceMs: number | "never" | undefined;

  constructor(readonly sources: ProgressSources) {}

  activitiesCompleted(): number {
    this.#activities = Math.max(this.#activities, this.sources.activitiesAccountedFor());
    return this.#activities;
  }

  workerlessMs(): number | undefined {
    const sinceMs = this.#workerlessSinceMs;
    return sinceMs === "never" ? 0 : sinceMs && Math.max(LEAST_ABSENCE_MS, this.sources.clock() - sinceMs);
  }

  async follow(signal: AbortSignal): Promise<void> {
    const { backend, runId, clock, orchestrator, onActivities, onBeyondScheduler } = this.sources;
    const { taskHub } = backend.connection;
    const watch = { taskHub, instanceIdPrefix: instanceIdPrefixOf(runId), ...(orchestrator && { orchestrator }) };
    for await (const hub of backend.admin!.watch(watch, { signal })) {
      this.#activities = Math.max(this.#activities, hub.activitiesCompleted);
      onActivities?.(this.#activities);
      if (hub.beyondScheduler !== undefined && !this.#wasBeyond) {
        this.#wasBeyond = true;
        onBeyondScheduler?.(hub.beyondScheduler);
      }
      this.#workerlessSinceMs = hub.workers > 0 ? "never" : clock() - hub.workerlessMs;
    }
  }
}

/**
 * Elsewhere a sample of the unfinished is asked for its custom status about once a second, and a completed instance
 * counts in full. A worker shows only in what it has done: an instance that is no longer Pending.
 */
class SampledProgress implements Progress {
  #activities = 0;
  /** Activities of instances that were unfinished when last asked. */
  #sampled: ReadonlyMap<string, number> = new Map();
  #seenWorker = false;
  readonly #sinceMs: number;

  constructor(readonly sources: ProgressSources) {
    this.#sinceMs = sources.clock();
  }

  activitiesCompleted(): number {
    const { inFlight, activitiesAccountedFor } = this.sources;
    let activities = activitiesAccountedFor();
    // One that has completed since is accounted for in full already.
    for (const [instanceId, count] of this.#sampled) if (inFlight.has(instanceId)) activities += count;
    this.#activities = Math.max(this.#activities, activities);
    return this.#activities;
  }

  workerlessMs(): number {
    if (this.#seenWorker || this.sources.hadWorker()) return 0;
    return Math.max(LEAST_ABSENCE_MS, this.sources.clock() - this.#sinceMs);
  }

  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await (this.sources.pause ?? pause)(signal);
      await this.#sample(signal);
    }
  }

  async #sample(signal: AbortSignal): Promise<void> {
    const { backend, inFlight } = this.sources;
    const sample = [...inFlight].slice(0, SAMPLE_SIZE);
    const sampled = new Map<string, number>();
    await concurrently(sample, SAMPLE_CONCURRENCY, signal, async (instanceId) => {
      const state = await instanceOrNothing(backend.client, instanceId, signal);
      if (!state) return;
      if (state.status !== "Pending") this.#seenWorker = true;
      sampled.set(instanceId, iterationProgressOf(state)?.activitiesCompleted ?? 0);
    });
    this.#sampled = sampled;
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return sleep(SAMPLE_PAUSE_MS, undefined, { signal });
}

/** A failed look costs a moment of progress, never the run. */
async function instanceOrNothing(
  client: OrchestrationClient,
  instanceId: string,
  signal: AbortSignal,
): Promise<InstanceState | undefined> {
  try {
    return await client.getInstance(instanceId, { payloads: true, signal });
  } catch {
    return undefined;
  }
}
