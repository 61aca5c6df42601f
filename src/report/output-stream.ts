import type { Writable } from "node:stream";

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** A stream to a person or a pipe. A terminal has `isTTY`, `columns`, `rows` and `getColorDepth`. */
export type OutputStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  getColorDepth?(): number;
};

/** Whether the stream accepts sequences that move the cursor. */
export function takesEscapes(stream: OutputStream, term: string | undefined = process.env["TERM"]): boolean {
  return stream.isTTY === true && term !== "dumb";
}

/** The width of a terminal, with a default if it is unknown or 0. */
export function columnsOf({ columns }: Pick<OutputStream, "columns">): number {
  return columns || DEFAULT_COLUMNS;
}

/** The height of a terminal, with a default if it is unknown or 0. */
export function rowsOf({ rows }: Pick<OutputStream, "rows">): number {
  return rows || DEFAULT_ROWS;
}
