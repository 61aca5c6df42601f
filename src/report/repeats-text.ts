import type { ChalkInstance } from "chalk";
import type { RunResult } from "../stats/run-result.js";
import { repeatsTitle, runsTable, spreadTable } from "./repeats-rows.js";

/** What several runs come to, for a person, without a final newline: mean and spread first, then a line for each run. */
export function repeatsText(results: readonly RunResult[], colours: ChalkInstance): string {
  const sections = [spreadTable(results), runsTable(results)]
    .filter(({ rows }) => rows.length > 0)
    .map(({ heads, rows }) => tableLines(heads, rows, colours).join("\n"));
  return [repeatsTitle(results), ...sections].join("\n\n");
}

function tableLines(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  colours: ChalkInstance,
): readonly string[] {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((cells) => cells[column]?.length ?? 0)));
  const isRemark = (column: number): boolean => heads[column] === "";
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) =>
      isRemark(column) ? cell : column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
    );
    return `  ${padded.join("  ")}`.trimEnd();
  };
  return [colours.dim(line(heads)), ...rows.map(line)];
}
