import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { percent } from "./breakdown-rows.js";
import type { RunResult } from "../result/run-result.js";

type MergedShard = NonNullable<RunResult["shards"]>[number];

/** The generators of a merged result as a table of words. */
export interface ShardTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly cells: readonly string[] }[];
}

const CELLS: Readonly<Record<string, (shard: MergedShard) => string | undefined>> = {
  started: ({ started }) => formatCount(started),
  completed: ({ completed }) => formatCount(completed),
  "slip p99": ({ generator }) => durationText(generator?.slipMs?.p99),
  "slip max": ({ generator }) => durationText(generator?.slipMs?.max),
  "generator CPU": ({ generator }) => generator?.cpu && percent(generator.cpu.generator),
  "machine CPU": ({ generator }) => generator?.cpu && percent(generator.cpu.machine),
  verdict: ({ verdict, died }) => (died === undefined ? verdict?.status : "died"),
};

/** Without rows if one generator made the run. Columns without a value are left out. */
export function shardTable({ shards = [] }: RunResult): ShardTable {
  const columns = Object.keys(CELLS).filter((name) => shards.some((shard) => CELLS[name]!(shard) !== undefined));
  const rows = shards.map((shard) => ({
    name: String(shard.number),
    cells: columns.map((name) => CELLS[name]!(shard) ?? ""),
  }));
  return { columns, rows };
}

function durationText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatDuration(ms);
}
