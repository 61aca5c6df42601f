import { wrapped } from "../format/wrap.js";
import type { RunResult } from "../result/run-result.js";
import { repeatsTitle, runsTable, spreadTable, type RepeatsTable } from "./repeats-rows.js";
import { tableLines, type FigureTable } from "./table-text.js";
import type { TextStyle } from "./text-style.js";

/** The summary of several runs for a person, without a final newline: mean and spread, then a line for each run. */
export function repeatsText(results: readonly RunResult[], style: TextStyle): string {
  const sections = [spreadTable(results), runsTable(results)]
    .filter(({ rows }) => rows.length > 0)
    .map((table) => tableLines(figureTable(table), style).join("\n"));
  return [wrapped(repeatsTitle(results), style.columns).join("\n"), ...sections].join("\n\n");
}

/** A column without a header becomes the remark of the row. */
function figureTable({ heads: [names = "", ...columns], rows }: RepeatsTable): FigureTable {
  const remarks = columns.indexOf("");
  const figures = remarks < 0 ? columns.length : remarks;
  return {
    heads: [names, ...columns.slice(0, figures)],
    rows: rows.map(([name = "", ...cells]) => ({
      name,
      cells: cells.slice(0, figures),
      remark: cells.slice(figures).join("  "),
    })),
  };
}
