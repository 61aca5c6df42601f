import { formatDuration } from "../format/duration.js";
import type { RunResult } from "../stats/run-result.js";

const MEANINGS = {
  response: "intended start until completed",
  service: "accepted until completed",
  server: "created until completed, by the backend's clock",
  startRpc: "start sent until accepted",
  slip: "intended start until sent",
} as const;
const COLUMNS = ["mean", "p50", "p90", "p99", "p999", "max"] as const;

/** The latencies of a run as a table of words; `cells` are one for each of `columns`, "" where there is no figure. */
export interface LatencyTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[]; readonly meaning: string }[];
}

/** Latencies say something about a run of many: of one there are no rows. Columns that no row has are left out. */
export function latencyTable({ counts, latencyMs }: RunResult): LatencyTable {
  if (counts.orchestrations.started === 1) return { columns: [], rows: [] };
  const names = ["response", "service", "server", "startRpc", "slip"] as const;
  const summaries = names.flatMap((name) => {
    const summary = latencyMs[name];
    return summary ? [{ name, summary }] : [];
  });
  const columns = COLUMNS.filter((column) => summaries.some(({ summary }) => summary[column] !== undefined));
  const rows = summaries.map(({ name, summary }) => ({
    name,
    cells: columns.map((column) => {
      const ms = summary[column];
      return ms === undefined ? "" : formatDuration(ms);
    }),
    meaning: MEANINGS[name],
  }));
  return { columns, rows };
}
