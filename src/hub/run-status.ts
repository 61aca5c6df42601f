import type { Backend } from "../backend/backend.js";
import type { RuntimeStatus } from "../backend/orchestration-client.js";
import type { FailedInstance, Listed } from "../result/run-result.js";
import { isEnded } from "../backend/ended-status.js";
import { betweenMs, isoTime } from "./instance-status.js";
import { lookUp } from "./look-up.js";
import { RunActivities, type ActivityCount } from "./run-activities.js";
import { RunReader } from "./run-reader.js";
import type { RunTally } from "./run-tally.js";

const LISTED_FAILURES = 10;

/** A run of `fanout status --run`: the progress of its instances so far. */
export interface RunStatus {
  readonly runId: string;
  /** ISO 8601 in UTC, on the backend's clock: the creation of its first instance, and the last update of any. */
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  /** The time between the two. */
  readonly durationMs: number;
  readonly instances: number;
  readonly ended: number;
  /** Only statuses that occur. */
  readonly byStatus: Partial<Record<RuntimeStatus, number>>;
  /** Absent unless the orchestration is the fan-out/fan-in workload. */
  readonly activities?: ActivityCount;
  /** Over `durationMs`; absent if nothing has completed, or if the times of completed instances are unknown. */
  readonly throughput?: { readonly orchestrationsPerSecond: number; readonly activitiesPerSecond?: number };
  readonly failures?: Listed<FailedInstance>;
}

/** Reads one run, once or repeatedly, until the signal aborts. */
export class RunObserver {
  readonly #reader: RunReader;
  readonly #activities: RunActivities;
  readonly #failures = new Map<string, FailedInstance>();

  constructor(
    readonly backend: Backend,
    readonly runId: string,
    readonly signal: AbortSignal,
  ) {
    this.#reader = new RunReader(backend.client, runId);
    this.#activities = new RunActivities(backend, runId, signal);
  }

  /** Reads all instances, or only those that had not completed. Undefined if the hub has no instance of the run. */
  async look(over: "all" | "not completed"): Promise<RunStatus | undefined> {
    await this.#reader.read(over, this.signal);
    const { tally } = this.#reader;
    if (tally.total === 0) return undefined;
    const [activities, failures] = await Promise.all([
      this.#activities.count(tally, this.signal),
      this.#listFailures(tally),
    ]);
    return runStatusOf(this.runId, tally, activities, failures);
  }

  async #listFailures(tally: RunTally): Promise<Listed<FailedInstance> | undefined> {
    const failed = tally.ids((status) => status === "Failed");
    if (failed.length === 0) return undefined;
    const listed = failed.slice(0, LISTED_FAILURES);
    const unread = listed.filter((id) => !this.#failures.has(id));
    const { instances } = await lookUp(this.backend.client, unread, this.signal);
    for (const { instanceId, failure } of instances) {
      const { type, message } = failure ?? { type: "Unknown", message: "the backend gave no reason" };
      this.#failures.set(instanceId, { instanceId, type, message });
    }
    return { total: failed.length, first: listed.flatMap((id) => this.#failures.get(id) ?? []) };
  }
}

/** The status that follows from a tally of at least one instance. Pure. */
export function runStatusOf(
  runId: string,
  tally: RunTally,
  activities: ActivityCount | undefined,
  failures: Listed<FailedInstance> | undefined,
): RunStatus {
  const { firstCreatedMs, lastUpdatedMs } = tally.span();
  const durationMs = betweenMs(firstCreatedMs, lastUpdatedMs);
  const throughput = tally.timesKnown ? throughputOf(tally, durationMs, activities) : undefined;
  return {
    runId,
    createdAt: isoTime(firstCreatedMs),
    lastUpdatedAt: isoTime(lastUpdatedMs),
    durationMs,
    instances: tally.total,
    ended: tally.count(isEnded),
    byStatus: tally.byStatus(),
    ...(activities && { activities }),
    ...(throughput && { throughput }),
    ...(failures && { failures }),
  };
}

function throughputOf(
  tally: RunTally,
  durationMs: number,
  activities: ActivityCount | undefined,
): RunStatus["throughput"] {
  const completed = tally.count((status) => status === "Completed");
  if (completed === 0 || durationMs <= 0) return undefined;
  const perSecond = (count: number): number => (count * 1_000) / durationMs;
  return {
    orchestrationsPerSecond: perSecond(completed),
    ...(activities && !activities.atLeast && { activitiesPerSecond: perSecond(activities.completed) }),
  };
}
