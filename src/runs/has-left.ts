import type { RunResult } from "../result/run-result.js";

/** Whether an interrupted run could not terminate all that it had in flight. */
export function hasLeft({ interrupted, counts, unanswered }: RunResult): boolean {
  return interrupted && (counts.orchestrations.unfinished > 0 || unanswered !== undefined);
}
