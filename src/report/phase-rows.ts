import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import type { Phase, RunResult } from "../result/run-result.js";

const LISTED = 20;

/** The parts of a load as a table of words. `cells` has one for each of `columns`, "" if there is no figure. */
export interface PhaseTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
  /** The number of parts that are not shown. */
  readonly more: number;
}

/** Empty if the load has only one part. Columns without a value are left out. */
export function phaseTable({ phases = [] }: RunResult): PhaseTable {
  const shown = phases.length > 1 ? phases.slice(0, LISTED) : [];
  const cellsOf = cellsBy(shown.some(({ response }) => response) ? "response" : "service");
  const all = shown.map((phase) => ({ name: phase.name, values: cellsOf(phase) }));
  const columns = [...new Set(all.flatMap(({ values }) => [...values.keys()]))].filter((column) =>
    all.some(({ values }) => values.get(column) !== ""),
  );
  const rows = all.map(({ name, values }) => ({ name, cells: columns.map((column) => values.get(column) ?? "") }));
  return { columns, rows, more: Math.max(0, phases.length - LISTED) };
}

function cellsBy(latency: "response" | "service"): (phase: Phase) => ReadonlyMap<string, string> {
  return (phase) =>
    new Map([
      ["offered", phase.offeredPerSecond === undefined ? "" : formatRate(phase.offeredPerSecond)],
      ["completed", formatRate(phase.completedPerSecond)],
      [`${latency} p50`, durationText(phase[latency]?.p50)],
      [`${latency} p99`, durationText(phase[latency]?.p99)],
    ]);
}

function durationText(ms: number | undefined): string {
  return ms === undefined ? "" : formatDuration(ms);
}
