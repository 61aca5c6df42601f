import { UsageError } from "../errors.js";
import { formatDuration } from "../format/duration.js";

/**
 * Tells a person when a run that is ready begins.
 * @throws UsageError if the time has passed: the shards of a run would not be one load
 */
export function tellStart(startAtMs: number, nowMs: number, onLine: (line: string) => void): void {
  if (nowMs > startAtMs) {
    const late = formatDuration(nowMs - startAtMs);
    throw new UsageError("start-time-passed", `the run was ready ${late} after its start time; nothing was started`, {
      hint: "choose a later --start-at, or a longer --start-in",
    });
  }
  onLine(`ready; starting at ${new Date(startAtMs).toISOString()}`);
}
