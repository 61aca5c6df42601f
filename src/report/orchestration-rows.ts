import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { oneLine } from "../format/one-line.js";
import { formatRate } from "../format/rate.js";
import type { OrchestrationResult, RunResult } from "../result/run-result.js";

/** The orchestrations of a mix as a table of words. */
export interface OrchestrationTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

type Cell = (orchestration: OrchestrationResult) => string | undefined;

/** Without rows if the plan mixes none. Columns without a value are left out. */
export function orchestrationTable({ byOrchestration = [], recount }: RunResult): OrchestrationTable {
  const latency = byOrchestration.some(({ latencyMs }) => latencyMs.response) ? "response" : "service";
  const cells: Readonly<Record<string, Cell>> = {
    started: ({ counts }) => formatCount(counts.orchestrations.started),
    completed: ({ counts }) => formatCount(counts.orchestrations.completed),
    failed: countOf("failed"),
    terminated: countOf("terminated"),
    unfinished: countOf("unfinished"),
    lost: ({ orchestrator }) => countText(lostOf(recount, orchestrator)),
    throughput: ({ throughput }) => throughput && formatRate(throughput.orchestrationsPerSecond),
    [`${latency} mean`]: ({ latencyMs }) => durationText(latencyMs[latency]?.mean),
    [`${latency} p50`]: ({ latencyMs }) => durationText(latencyMs[latency]?.p50),
    [`${latency} p99`]: ({ latencyMs }) => durationText(latencyMs[latency]?.p99),
    [`${latency} max`]: ({ latencyMs }) => durationText(latencyMs[latency]?.max),
  };
  const columns = Object.keys(cells).filter((name) => byOrchestration.some((each) => cells[name]!(each) !== undefined));
  const rows = byOrchestration.map((each) => ({
    name: oneLine(each.orchestrator),
    cells: columns.map((name) => cells[name]!(each) ?? ""),
  }));
  return { columns, rows };
}

function countOf(outcome: keyof OrchestrationResult["counts"]["orchestrations"]): Cell {
  return ({ counts }) => countText(counts.orchestrations[outcome]);
}

/** A column of zeros says nothing. */
function countText(count: number): string | undefined {
  return count === 0 ? undefined : formatCount(count);
}

function lostOf(recount: RunResult["recount"], orchestrator: string): number {
  if (!recount || "unknown" in recount) return 0;
  return recount.byOrchestration?.find((each) => each.orchestrator === orchestrator)?.lost ?? 0;
}

function durationText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatDuration(ms);
}
