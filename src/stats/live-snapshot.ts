import type { LatencySummary } from "./run-result.js";

/** How far a run is at one moment. */
export interface LiveSnapshot {
  readonly elapsedMs: number;
  readonly orchestrations: { readonly total: number; readonly started: number; readonly ended: number };
  /** A total of 0 means that activities are not known. */
  readonly activities: { readonly total: number; readonly completed: number };
  /** The response time so far, as far as the sample carries it. */
  readonly responseMs: LatencySummary | undefined;
}
