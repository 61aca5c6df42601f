import type { RuntimeStatus } from "./orchestration-client.js";

/** Statuses of instances that have ended for good. */
export const ENDED: readonly RuntimeStatus[] = ["Completed", "Failed", "Terminated", "Canceled"];

export function isEnded(status: RuntimeStatus): boolean {
  return ENDED.includes(status);
}
