import type { JudgedThreshold, Stall, Verdict } from "../result/run-result.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";

/**
 * What a page is told about a run, about once a second. Plain data, so that it goes as it is through JSON: to a browser as a
 * server-sent event, and over IPC from the process of a run to the server that shows it.
 */
export interface LiveUpdate {
  readonly run: LiveRun;
  readonly phase: LivePhase;
  readonly snapshot: LiveSnapshot;
  /** The intervals that have changed since the update before. */
  readonly series: LiveSeries;
  /** In the order of time. The last one is `open` if it is in progress. */
  readonly stalls: readonly Stall[];
  readonly thresholds: readonly LiveThreshold[];
  /** What it said to people last. Absent where a terminal says it. */
  readonly lines?: readonly string[] | undefined;
  /** As it forms. Absent before the first start, and while a generator of several has not told its part. */
  readonly verdict?: Verdict | undefined;
}

/** What is known before the run starts. */
export interface LiveRun {
  readonly runId: string;
  readonly planLine: string;
  /** Decides which lines the charts have: closed load has no schedule. */
  readonly load: "once" | "closed" | "open";
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds from the start of the run until the measured time begins. */
  readonly warmupMs: number;
  /** With `--repeat`, the number of this run, counted from 1, and of all. */
  readonly number: number;
  readonly of: number;
}

export type LivePhase =
  /** For workers, or for the time of the first start. */
  | { readonly kind: "waiting" }
  | { readonly kind: "running" }
  /** No more starts: the run was interrupted, or gave up. */
  | { readonly kind: "ending"; readonly why: string }
  /**
   * All instances have ended, or are no longer waited for. `report` is the path of the report, when there is one, and `why`
   * is why there is none.
   */
  | { readonly kind: "ended"; readonly report?: string | undefined; readonly why?: string }
  /** Without a result. */
  | { readonly kind: "failed"; readonly why: string };

export interface LiveThreshold extends Pick<JudgedThreshold, "expression" | "reason"> {
  readonly state: "holds" | "missed" | "missed-for-good" | "open";
  /** The value so far, in the unit of its kind. */
  readonly found?: string | undefined;
}

export interface LiveSeries {
  /** Of each interval. When it doubles, all intervals are new. */
  readonly widthMs: number;
  readonly intervals: readonly LiveInterval[];
}

/** Completions and activities count when they were noticed, latencies in the interval in which their start was due. */
export interface LiveInterval {
  /** Counted from the start of the run. */
  readonly index: number;
  readonly offered: number;
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  /** Absent where activities are unknown. */
  readonly activities?: number | undefined;
  /** Response time, or service time in closed load, until the client noticed; milliseconds. */
  readonly p50?: number | undefined;
  readonly p99?: number | undefined;
  readonly max?: number | undefined;
}
