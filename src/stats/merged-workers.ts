import type { LatencySummary, TracedWorker } from "../result/run-result.js";
import { mergedSummary } from "./merged-summary.js";

/**
 * The workers of all traced orchestrations, in the order of their names. Whether one differs from the others is absent: that
 * needs the times of each orchestration.
 */
export function mergedWorkers(all: readonly TracedWorker[]): readonly TracedWorker[] {
  const byId = Map.groupBy(all, ({ workerId }) => workerId);
  return [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([workerId, parts]) => workerOf(workerId, parts));
}

function workerOf(workerId: string, parts: readonly TracedWorker[]): TracedWorker {
  const wholeRun = parts.find((part) => part.wholeRun)?.wholeRun;
  return {
    workerId,
    activities: parts.reduce((sum, { activities }) => sum + activities, 0),
    ...timesOf("execute", parts),
    ...timesOf("turnaround", parts),
    ...clockOf(parts),
    ...(wholeRun && { wholeRun }),
  };
}

function timesOf(name: "execute" | "turnaround", parts: readonly TracedWorker[]): Partial<TracedWorker> {
  const summaries: readonly LatencySummary[] = parts.flatMap((part) => part[name] ?? []);
  return summaries.length === 0 ? {} : { [name]: mergedSummary(summaries) };
}

/** The range that holds the offset as each shard found it. */
function clockOf(parts: readonly TracedWorker[]): Partial<TracedWorker> {
  const ranges = parts.flatMap(({ clockOffsetMs, clockBoundMs }) =>
    clockOffsetMs === undefined || clockBoundMs === undefined
      ? []
      : [{ low: clockOffsetMs - clockBoundMs, high: clockOffsetMs + clockBoundMs }],
  );
  if (ranges.length === 0) return {};
  const low = Math.min(...ranges.map((range) => range.low));
  const high = Math.max(...ranges.map((range) => range.high));
  return { clockOffsetMs: (low + high) / 2, clockBoundMs: (high - low) / 2 };
}
