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

/** The run's knowledge of its own work. Only its owner changes it; anyone may read it. */
export interface Progress {
  /**
   * The number of activity results known to be in histories. On a backend that is only sampled, completed instances are
   * not included. Never falls.
   */
  activitiesCompleted(): number;
  /**
   * The time without a worker for one of the run's orchestrations, in milliseconds. 0 while each has one; undefined while
   * that is not known.
   */
  workerlessMs(): number | undefined;
  /** Of somebody's own orchestrations, those that no worker is known to host. */
  unhosted(): readonly string[];
  /** Follows the run until the signal aborts. */
  follow(signal: AbortSignal): Promise<void>;
}

export interface ProgressSources {
  readonly backend: Backend;
  readonly runId: string;
  readonly clock: Clock;
  /** Accepted instances that have not ended. */
  readonly inFlight: ReadonlySet<string>;
  /** Somebody's own orchestrations, which not every worker hosts. */
  readonly orchestrators?: readonly string[];
  /** Other generators make the same run, so that the emulator's count of it is not this one's. */
  readonly isShared?: boolean;
  /** Whether an instance has ended through the work of a worker. */
  readonly hadWorker: () => boolean;
  /** The activities of completed instances. */
  readonly activitiesAccountedFor: () => number;
  /** Called with the emulator's total count of activity results. */
  readonly onActivities?: (total: number) => void;
  /** Called once with what the emulator accepted and a Scheduler would refuse. */
  readonly onBeyondScheduler?: (sentence: string) => void;
  /** The pause between two samples. Tests pass their own. */
  readonly pause?: (signal: AbortSignal) => Promise<void>;
}

export function progressOf(sources: ProgressSources): Progress {
  return sources.backend.admin ? new ExactProgress(sources) : new SampledProgress(sources);
}

/** The embedded emulator counts activity results as they are committed, and knows its workers. */
class ExactProgress implements Progress {
  #activities = 0;
  #wasBeyond = false;
  /** For each orchestration, since when the hub has had no worker, on the client's clock: "never" while it has one. */
  readonly #workerlessSinceMs = new Map<string | undefined, number | "never">();
  /** One of them is undefined for the fan-out, which every worker of fanout hosts. */
  readonly #orchestrators: readonly (string | undefined)[];

  constructor(readonly sources: ProgressSources) {
    const { orchestrators = [] } = sources;
    this.#orchestrators = orchestrators.length === 0 ? [undefined] : orchestrators;
  }

  activitiesCompleted(): number {
    this.#activities = Math.max(this.#activities, this.sources.activitiesAccountedFor());
    return this.#activities;
  }

  workerlessMs(): number | undefined {
    if (this.#workerlessSinceMs.size < this.#orchestrators.length) return undefined;
    const since = [...this.#workerlessSinceMs.values()].filter((sinceMs) => sinceMs !== "never");
    return since.length === 0 ? 0 : Math.max(LEAST_ABSENCE_MS, this.sources.clock() - Math.min(...since));
  }

  unhosted(): readonly string[] {
    return (this.sources.orchestrators ?? []).filter((name) => this.#workerlessSinceMs.get(name) !== "never");
  }

  async follow(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    try {
      await Promise.all(this.#orchestrators.map((name) => this.#watch(name, either)));
    } finally {
      over.abort();
    }
  }

  async #watch(orchestrator: string | undefined, signal: AbortSignal): Promise<void> {
    const { backend, runId, clock, isShared, onActivities, onBeyondScheduler } = this.sources;
    const { taskHub } = backend.connection;
    const watch = { taskHub, instanceIdPrefix: instanceIdPrefixOf(runId), ...(orchestrator && { orchestrator }) };
    for await (const hub of backend.admin!.watch(watch, { signal })) {
      if (!isShared) {
        this.#activities = Math.max(this.#activities, hub.activitiesCompleted);
        onActivities?.(this.#activities);
      }
      if (hub.beyondScheduler !== undefined && !this.#wasBeyond) {
        this.#wasBeyond = true;
        onBeyondScheduler?.(hub.beyondScheduler);
      }
      this.#workerlessSinceMs.set(orchestrator, hub.workers > 0 ? "never" : clock() - hub.workerlessMs);
    }
  }
}

/**
 * On other backends, about once a second, a sample of the unfinished instances is asked for its custom status. A
 * completed instance counts in full. A worker is visible only through its work: an instance that is no longer Pending.
 */
class SampledProgress implements Progress {
  #activities = 0;
  /** The activities of instances that were unfinished when last asked. */
  #sampled: ReadonlyMap<string, number> = new Map();
  #seenWorker = false;
  readonly #sinceMs: number;

  constructor(readonly sources: ProgressSources) {
    this.#sinceMs = sources.clock();
  }

  activitiesCompleted(): number {
    const { inFlight, activitiesAccountedFor } = this.sources;
    let activities = activitiesAccountedFor();
    // An instance that has completed since is already counted in full.
    for (const [instanceId, count] of this.#sampled) if (inFlight.has(instanceId)) activities += count;
    this.#activities = Math.max(this.#activities, activities);
    return this.#activities;
  }

  workerlessMs(): number {
    if (this.#seenWorker || this.sources.hadWorker()) return 0;
    return Math.max(LEAST_ABSENCE_MS, this.sources.clock() - this.#sinceMs);
  }

  /** Which of them has a worker does not show. */
  unhosted(): readonly string[] {
    return this.sources.orchestrators ?? [];
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

/** A failed sample costs a moment of progress, never the run. */
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
