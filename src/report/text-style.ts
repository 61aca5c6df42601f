import type { ChalkInstance } from "chalk";
import { coloursFor } from "./colours.js";
import { columnsOf, type OutputStream } from "./output-stream.js";

/** A terminal that is narrower than this wraps by itself. */
const LEAST_COLUMNS = 40;

/** How text for a person looks where it goes. */
export interface TextStyle {
  readonly colours: ChalkInstance;
  /** No line is wider; infinite where nothing is wrapped. */
  readonly columns: number;
}

/** On a terminal text fits it. In a pipe or a file a line is as long as it is, for `grep` and for terminals to come. */
export function styleFor(stream: Pick<OutputStream, "isTTY" | "columns" | "getColorDepth">): TextStyle {
  const columns = stream.isTTY ? Math.max(LEAST_COLUMNS, columnsOf(stream)) : Number.POSITIVE_INFINITY;
  return { colours: coloursFor(stream), columns };
}
