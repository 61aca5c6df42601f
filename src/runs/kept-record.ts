import type { LiveUpdate } from "../live/live-update.js";
import type { RunResult } from "../result/run-result.js";
import type { ResultText } from "./result-text.js";
import type { RecordHead } from "./run-record.js";

/** What is kept of a run that has ended, wherever it is kept. */
export interface KeptRecord {
  readonly head: RecordHead;
  /** What it takes there. */
  readonly bytes: number;
  /** The last update of the run; undefined if it cannot be read. */
  readUpdate(): Promise<LiveUpdate | undefined>;
  /** Undefined if there is none, or none any more. */
  readResult(): Promise<RunResult | undefined>;
  /** The same as it was written. */
  openResult(): Promise<ResultText | undefined>;
}
