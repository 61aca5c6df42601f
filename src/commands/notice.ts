import { wrapped } from "../format/wrap.js";
import type { OutputStream } from "../report/output-stream.js";
import { styleFor } from "../report/text-style.js";

/** Prints sentences for a person, wrapped to the width of a terminal. */
export function noticeOn(stream: OutputStream): (line: string) => void {
  return (line) => void stream.write(`${wrapped(line, styleFor(stream).columns).join("\n")}\n`);
}
