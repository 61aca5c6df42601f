import type { ChalkInstance } from "chalk";
import { coloursFor } from "./colours.js";
import { columnsOf, type OutputStream } from "./output-stream.js";

/** A narrower terminal wraps by itself. */
const LEAST_COLUMNS = 40;

/** The appearance of text for a person. */
export interface TextStyle {
  readonly colours: ChalkInstance;
  /** The widest line; infinite if nothing is wrapped. */
  readonly columns: number;
}

/**
 * On a terminal, text fits its width. In a pipe or a file, lines are not wrapped, for `grep` and for other terminals.
 */
export function styleFor(stream: Pick<OutputStream, "isTTY" | "columns" | "getColorDepth">): TextStyle {
  const columns = stream.isTTY ? Math.max(LEAST_COLUMNS, columnsOf(stream)) : Number.POSITIVE_INFINITY;
  return { colours: coloursFor(stream), columns };
}
