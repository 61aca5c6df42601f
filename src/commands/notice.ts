import { wrapped } from "../format/wrap.js";
import type { OutputStream } from "../report/output-stream.js";
import { styleFor } from "../report/text-style.js";

/** Says sentences to a person, on a terminal in lines that fit it. */
export function noticeOn(stream: OutputStream): (line: string) => void {
  return (line) => void stream.write(`${wrapped(line, styleFor(stream).columns).join("\n")}\n`);
}
