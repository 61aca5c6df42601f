import type { LatencySummary, TracedWorker } from "../result/run-result.js";
import { wholeRange } from "./clock-range.js";
import { mergedSummary } from "./merged-summary.js";
import { sumOf } from "./sums.js";

/**
 * The workers of all traced orchestrations, in the order of their names. Whether one differs from the others is absent: that
 * needs the times of each orchestration.
 */
export function mergedWorkers(all: readonly TracedWorker[]): readonly TracedWorker[] {
  const byId = Map.groupBy(all, ({ workerId }) => workerId);
  return [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([workerId, parts]) => workerOf(workerId, parts));
}

function workerOf(workerId: string, parts: readonly TracedWorker[]): TracedWorker {
  const { host, version } = parts.find((part) => part.version !== undefined) ?? {};
  const wholeRun = parts.find((part) => part.wholeRun)?.wholeRun;
  const [pause] = parts.flatMap((part) => part.pause ?? []).toSorted((a, b) => b.lengthMs - a.lengthMs);
  return {
    workerId,
    ...(host !== undefined && { host }),
    ...(version !== undefined && { version }),
    activities: sumOf(parts, ({ activities }) => activities),
    ...timesOf("execute", parts),
    ...timesOf("turnaround", parts),
    ...clockOf(parts),
    ...(pause && { pause }),
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
      : [{ offsetMs: clockOffsetMs, boundMs: clockBoundMs }],
  );
  if (ranges.length === 0) return {};
  const { offsetMs, boundMs } = wholeRange(ranges);
  return { clockOffsetMs: offsetMs, clockBoundMs: boundMs };
}
