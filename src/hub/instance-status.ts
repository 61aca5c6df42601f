import { endedMsOf, isEnded } from "../backend/ended-status.js";
import type { InstanceState, RuntimeStatus } from "../backend/orchestration-client.js";
import { iterationProgressOf } from "./iteration-progress.js";
import {
  FAN_OUT_FAN_IN_ORCHESTRATION,
  parseFanOutFanInInput,
  type FanOutFanInProgress,
} from "../orchestrations/fan-out-fan-in-contract.js";

/** One instance of `fanout status --json`. Times are ISO 8601 in UTC, on the backend's clock. */
export interface InstanceStatus {
  readonly instanceId: string;
  readonly name: string;
  readonly status: RuntimeStatus;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  /** From creation to completion (else to the last update); absent while it has not ended. */
  readonly durationMs?: number;
  /** Absent if its custom status does not say. */
  readonly progress?: FanOutFanInProgress;
  /** Absent unless it runs the fan-out/fan-in workload. */
  readonly activitiesNeeded?: number;
  readonly failure?: { readonly type: string; readonly message: string };
}

/** All statuses but Completed: after a full first read, these show every change. */
export const NOT_COMPLETED = [
  "Pending",
  "Running",
  "Suspended",
  "ContinuedAsNew",
  "Failed",
  "Terminated",
  "Canceled",
] as const satisfies readonly RuntimeStatus[];

export function isUnfinished(status: RuntimeStatus): boolean {
  return !isEnded(status);
}

export function instanceStatusOf(state: InstanceState): InstanceStatus {
  const { instanceId, name, status, createdMs, lastUpdatedMs, failure } = state;
  const endedMs = endedMsOf(state);
  const progress = iterationProgressOf(state);
  const activitiesNeeded = activitiesNeededBy(state);
  return {
    instanceId,
    name,
    status,
    createdAt: isoTime(createdMs),
    lastUpdatedAt: isoTime(lastUpdatedMs),
    ...(isEnded(status) &&
      createdMs !== undefined &&
      endedMs !== undefined && { durationMs: betweenMs(createdMs, endedMs) }),
    ...(progress && { progress }),
    ...(activitiesNeeded !== undefined && { activitiesNeeded }),
    ...(failure && { failure }),
  };
}

/**
 * The number of activities that its input asks for. The input must have been read. Undefined unless it runs the
 * fan-out/fan-in workload.
 */
export function activitiesNeededBy({ name, input }: InstanceState): number | undefined {
  if (name !== FAN_OUT_FAN_IN_ORCHESTRATION) return undefined;
  try {
    const { iterations, parallelActivities } = parseFanOutFanInInput(JSON.parse(input ?? "null"));
    return iterations * parallelActivities;
  } catch {
    return undefined;
  }
}

/** The time between two times, to the microsecond: further digits of a difference mean nothing. */
export function betweenMs(fromMs: number, toMs: number): number {
  return Math.round((toMs - fromMs) * 1_000) / 1_000;
}

/** A time that the backend does not report is that of the epoch, as in its messages. */
export function isoTime(ms = 0): string {
  return new Date(ms).toISOString();
}
