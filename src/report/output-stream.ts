import type { Writable } from "node:stream";

/** A stream to a person or a pipe; `isTTY`, `columns` and `getColorDepth` are there when it is a terminal. */
export type OutputStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  getColorDepth?(): number;
};

/** Whether what is written there may move the cursor. */
export function takesEscapes(stream: OutputStream, term: string | undefined = process.env["TERM"]): boolean {
  return stream.isTTY === true && term !== "dumb";
}
