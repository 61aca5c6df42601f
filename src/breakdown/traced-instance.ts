import type { Histories, History } from "./critical-path.js";

/** What is known of an instance that was chosen to be traced. Times are whole microseconds since the epoch. */
export interface TracedInstance {
  readonly instanceId: string;
  readonly outcome: "completed" | "failed" | "terminated" | "unfinished";
  /** By the client's clock. */
  readonly intendedUs: number;
  readonly sentUs: number;
  /** Undefined where the answer to the start was lost. */
  readonly acceptedUs: number | undefined;
  /** When the client noticed the end, or of an unfinished one when the run ended. */
  readonly endedUs: number;
  /** When the backend created it, by its own clock; undefined where it did not tell. */
  readonly createdUs: number | undefined;
  /** Of its last execution. */
  readonly history: History;
  readonly children: Histories;
}
