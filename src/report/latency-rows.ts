import { formatDuration } from "../format/duration.js";
import { figureOf } from "../result/figure.js";
import type { CrossingSummary, LatencySummary, RunResult } from "../result/run-result.js";

const NAMES = ["response", "service", "server", "detectionLag", "startRpc", "slip"] as const;
const COLUMNS = ["mean", "p50", "p90", "p95", "p99", "p999", "max"] as const;
/** A percentile in a threshold gets a column even if it is no standard one. */
const ASKED_PERCENTILE = /\b(p\d+\.\d+|p[1-9]\d?) ?[<>]/u;
const TIME_OF_ONE = "time";
/**
 * Fewer orchestrations have no median. Orchestrations that were cut off remove percentiles too, and more of them do not
 * help.
 */
const CARRIES_MEDIAN = 20;
const FEW = "percentiles need more orchestrations: p50 from 20, p99 from 1,000";
/** A larger share of the median service time deserves a row. */
const LAG_OF_SERVICE = 0.05;
/** A larger share of the median is mentioned. */
const BOUND_OF_FIGURE = 0.01;

type LatencyName = (typeof NAMES)[number];

/** The latencies of a run as a table of words. `cells` has one for each of `columns`, "" if there is no figure. */
export interface LatencyTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[]; readonly meaning: string }[];
  /** A remark on what the rows cannot show. */
  readonly note?: string;
}

/** Columns without a value are left out. A run of one orchestration has only its time. */
export function latencyTable(result: RunResult): LatencyTable {
  const summaries = NAMES.flatMap((name) => {
    const summary = result.latencyMs[name];
    return summary && matters(name, result) ? [{ name, summary }] : [];
  });
  const ofOne = result.counts.orchestrations.started === 1;
  const read = (name: LatencyName, column: string) =>
    figureOf(`latencyMs.${name}.${column === TIME_OF_ONE ? "max" : column}`)?.read(result);
  const candidates = ofOne ? [TIME_OF_ONE] : columnsOf(result);
  const columns = candidates.filter((column) => summaries.some(({ name }) => read(name, column) !== undefined));
  const rows = summaries.map(({ name, summary }) => ({
    name,
    cells: columns.map((column) => {
      const ms = read(name, column);
      return ms === undefined ? "" : formatDuration(ms);
    }),
    meaning: meaningOf(name, summary),
  }));
  const note = rows.length === 0 ? undefined : noteOf(result);
  return { columns, rows, ...(note !== undefined && { note }) };
}

function noteOf(result: RunResult): string | undefined {
  const notes = [
    ...(isClosed(result) ? ["closed load cannot show how long arrivals would have waited (coordinated omission)"] : []),
    ...(result.counts.orchestrations.started < CARRIES_MEDIAN ? [FEW] : []),
  ];
  return notes.length === 0 ? undefined : notes.join("; ");
}

/** From the mean to the maximum, with percentiles in ascending order. */
function columnsOf({ thresholds = [] }: RunResult): readonly string[] {
  const asked = thresholds.flatMap(({ expression }) => ASKED_PERCENTILE.exec(expression)?.[1] ?? []);
  const percentiles = [...new Set([...COLUMNS.filter((column) => /^p\d/u.test(column)), ...asked])];
  return ["mean", ...percentiles.sort((one, other) => percentOf(one) - percentOf(other)), "max"];
}

function percentOf(name: string): number {
  return name === "p999" ? 99.9 : Number(name.slice(1));
}

/** The delay of noticing is think time of closed load. In other load it deserves a row only if it is long. */
function matters(name: LatencyName, result: RunResult): boolean {
  if (name !== "detectionLag" || isClosed(result)) return true;
  const { detectionLag, service } = result.latencyMs;
  return (medianOf(detectionLag) ?? 0) > LAG_OF_SERVICE * (medianOf(service) ?? 0);
}

function isClosed({ plan }: RunResult): boolean {
  return plan.load?.kind === "closed";
}

function meaningOf(name: LatencyName, summary: CrossingSummary): string {
  const { until = "completed", boundMs = 0 } = summary;
  const meanings: Readonly<Record<LatencyName, string>> = {
    response: `intended start until ${until}`,
    service: `accepted until ${until}`,
    server: "created until completed, by the backend's clock",
    detectionLag: "completed until noticed",
    startRpc: "start sent until accepted",
    slip: "intended start until sent",
  };
  const bound = boundMs > BOUND_OF_FIGURE * (medianOf(summary) ?? 0) ? `, ± ${formatDuration(boundMs)}` : "";
  return meanings[name] + bound;
}

function medianOf(summary: LatencySummary | undefined): number | undefined {
  return summary?.p50 ?? summary?.mean;
}
