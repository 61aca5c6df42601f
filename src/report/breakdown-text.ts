import { formatDuration } from "../format/duration.js";
import { hanging } from "../format/wrap.js";
import type { RunResult } from "../result/run-result.js";
import { breakdownTable, percent, type BreakdownRow } from "./breakdown-rows.js";
import { tableLines } from "./table-text.js";
import type { TextStyle } from "./text-style.js";

/** With its heading and its notes, where the terminal is not a narrow one. As many rows are shown at each width. */
const MOST_LINES = 10;
const LINES_OF_NOTE = 2;
const LEAST_ROWS = 3;
/** What the table takes without its bars, and what a bar is worth drawing in. */
const TABLE_WIDTH = 52;
const BAR = { least: 8, most: 24 };

/** Where the time went: the largest share first, in at most ten lines. Bars are on a terminal that has the room. */
export function breakdownLines(result: RunResult, style: TextStyle): readonly string[] {
  const table = breakdownTable(result);
  if (!table) return [];
  if (table.rows.length === 0)
    return hanging("  ", `Where the time went is not known: ${table.notes.join("; ")}`, style.columns);

  const notes = table.notes.flatMap((note) => hanging("  ", style.colours.dim(note), style.columns));
  const most = Math.max(LEAST_ROWS, MOST_LINES - 1 - LINES_OF_NOTE * table.notes.length);
  const rows = table.rows.length > most ? withOthers(table.rows, most) : table.rows;
  const barWidth = Math.min(BAR.most, style.columns - TABLE_WIDTH);
  const hasBars = Number.isFinite(style.columns) && barWidth >= BAR.least;
  const largest = Math.max(...rows.map(({ share }) => share));
  const lines = rows.map(({ name, share, halfWidth, meanMs }) => ({
    name,
    cells: [percent(share), halfWidth === undefined ? "" : `± ${(100 * halfWidth).toFixed(1)}`, formatDuration(meanMs)],
    ...(hasBars && { remark: "█".repeat(Math.round((barWidth * share) / largest)) }),
  }));
  return [...tableLines({ heads: ["Where the time went", "share", "", "in each"], rows: lines }, style), ...notes];
}

type Row = Pick<BreakdownRow, "name" | "share" | "meanMs" | "halfWidth">;

/** The smallest ones in one row. */
function withOthers(rows: readonly BreakdownRow[], most: number): readonly Row[] {
  const rest = rows.slice(most - 1);
  const sum = (of: (row: BreakdownRow) => number): number => rest.reduce((total, row) => total + of(row), 0);
  const others = { name: `${rest.length} others`, share: sum((row) => row.share), meanMs: sum((row) => row.meanMs) };
  return [...rows.slice(0, most - 1), { ...others, halfWidth: undefined }];
}
