import type { InstanceState, RuntimeStatus } from "./orchestration-client.js";

/** Statuses of instances that have ended for good. */
export const ENDED: readonly RuntimeStatus[] = ["Completed", "Failed", "Terminated", "Canceled"];

/** When an ended instance ended, on the backend's clock; undefined if the backend does not report it. */
export function endedMsOf({ completedMs, lastUpdatedMs }: InstanceState): number | undefined {
  return completedMs ?? lastUpdatedMs;
}

export function isEnded(status: RuntimeStatus): boolean {
  return ENDED.includes(status);
}
