import type { ChalkInstance } from "chalk";
import { hanging, textWidth } from "../format/wrap.js";
import type { TextStyle } from "./text-style.js";

const INDENT = "  ";
const GAP = "  ";

/** Rows of figures with names. */
export interface FigureTable {
  /** The header of the names, and of each column of figures. */
  readonly heads: readonly [names: string, ...columns: string[]];
  readonly rows: readonly FigureRow[];
}

interface FigureRow {
  readonly name: string;
  /** One for each column of figures, "" if there is none. */
  readonly cells: readonly string[];
  /** A remark in words, with its colours. */
  readonly remark?: string;
}

/**
 * A table in lines of at most `columns`. Remarks follow their rows if there is room for all of them, else they are
 * below the table. If the columns do not fit side by side, the table is transposed if that helps, else it is split into
 * parts, one below the other. Figures are never broken: a name and a figure that are too wide together stay so.
 */
export function tableLines(table: FigureTable, { colours, columns }: TextStyle): readonly string[] {
  const remarks = table.rows.map(({ remark = "" }) => remark);
  const room = Math.max(...remarks.map((remark) => (remark === "" ? 0 : textWidth(GAP + remark))));
  if (widthOf(table) + room <= columns) return linesOf(table, remarks, colours);
  const parts = narrowed(table, columns).map((part) => linesOf(part, [], colours));
  return [...parts, remarkLines(table, columns)]
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]));
}

function linesOf({ heads, rows }: FigureTable, remarks: readonly string[], colours: ChalkInstance): readonly string[] {
  const widths = widthsOf({ heads, rows });
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? "";
      const space = " ".repeat(width - textWidth(cell));
      return column === 0 ? cell + space : space + cell;
    });
    return INDENT + padded.join(GAP);
  };
  return [
    colours.dim(line(heads)),
    ...rows.map(({ name, cells }, index) => {
      const remark = remarks[index] ?? "";
      return remark === "" ? line([name, ...cells]).trimEnd() : line([name, ...cells]) + GAP + remark;
    }),
  ];
}

function narrowed(table: FigureTable, columns: number): readonly FigureTable[] {
  if (widthOf(table) <= columns) return [table];
  const figures = table.heads.length - 1;
  const other = turned(table);
  if (table.rows.length < figures && widthOf(other) <= columns) return [other];
  for (let count = 2; count < figures; count += 1) {
    const parts = inParts(table, Math.ceil(figures / count));
    if (parts.every((part) => widthOf(part) <= columns)) return parts;
  }
  return inParts(table, 1);
}

/** Its columns as rows. */
function turned({ heads: [names, ...columns], rows }: FigureTable): FigureTable {
  return {
    heads: [names, ...rows.map(({ name }) => name)],
    rows: columns.map((name, index) => ({ name, cells: rows.map(({ cells }) => cells[index] ?? "") })),
  };
}

/** Parts with at most `most` columns each. */
function inParts({ heads: [names, ...columns], rows }: FigureTable, most: number): readonly FigureTable[] {
  const parts: FigureTable[] = [];
  for (let from = 0; from < columns.length; from += most) {
    const cut = (cells: readonly string[]): readonly string[] => cells.slice(from, from + most);
    parts.push({
      heads: [names, ...cut(columns)],
      rows: rows.map(({ name, cells }) => ({ name, cells: cut(cells) })),
    });
  }
  return parts;
}

function remarkLines({ rows }: FigureTable, columns: number): readonly string[] {
  const remarked = rows.flatMap(({ name, remark = "" }) => (remark === "" ? [] : [{ name, remark }]));
  const width = Math.max(...remarked.map(({ name }) => textWidth(name)));
  return remarked.flatMap(({ name, remark }) => {
    const space = " ".repeat(width - textWidth(name));
    return hanging(INDENT + name + space + GAP, remark, columns);
  });
}

function widthOf(table: FigureTable): number {
  return widthsOf(table).reduce((sum, width) => sum + width + GAP.length, INDENT.length - GAP.length);
}

function widthsOf({ heads, rows }: FigureTable): readonly number[] {
  return heads.map((head, column) =>
    Math.max(
      textWidth(head),
      ...rows.map(({ name, cells }) => textWidth((column === 0 ? name : cells[column - 1]) ?? "")),
    ),
  );
}
