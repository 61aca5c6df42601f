import type { Writable } from "node:stream";

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** A stream to a person or a pipe; `isTTY`, `columns`, `rows` and `getColorDepth` are there when it is a terminal. */
export type OutputStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  getColorDepth?(): number;
};

/** Whether what is written there may move the cursor. */
export function takesEscapes(stream: OutputStream, term: string | undefined = process.env["TERM"]): boolean {
  return stream.isTTY === true && term !== "dumb";
}

/** How wide a terminal is, also one that does not tell, or says 0. */
export function columnsOf({ columns }: Pick<OutputStream, "columns">): number {
  return columns || DEFAULT_COLUMNS;
}

/** How high a terminal is, also one that does not tell, or says 0. */
export function rowsOf({ rows }: Pick<OutputStream, "rows">): number {
  return rows || DEFAULT_ROWS;
}
