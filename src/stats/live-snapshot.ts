import type { LatencySummary, Outage, Stall } from "../result/run-result.js";

/** The state of a run at one moment. */
export interface LiveSnapshot {
  readonly elapsedMs: number;
  /** The time over which starts are due, if time bounds the load. */
  readonly lengthMs?: number;
  /** A total of 0 means that it is unknown until the end. */
  readonly orchestrations: { readonly total: number; readonly started: number; readonly ended: number };
  /** A total of 0 means that activities are unknown. */
  readonly activities: {
    readonly total: number;
    readonly completed: number;
    /** The number in one fan-out. */
    readonly perIteration?: number;
  };
  /** The response time until the client noticed, as far as the sample allows it; absent in closed load. */
  readonly responseMs: LatencySummary | undefined;
  readonly serviceMs?: LatencySummary | undefined;
  /** The outage of the backend in progress. */
  readonly outage?: Outage | undefined;
  /** Facts that only the run that makes the load knows. */
  readonly own?: OwnSnapshot;
}

export interface OwnSnapshot {
  readonly completed: number;
  readonly failed: number;
  readonly terminated: number;
  /** Sent and not ended. */
  readonly inFlight: number;
  /** Starts that `--max-in-flight` held back. */
  readonly heldBack: number;
  /** Failed attempts by gRPC status. */
  readonly rpcErrors: Readonly<Record<string, number>>;
  /** The stall in progress. */
  readonly stall: Stall | undefined;
  /** Of a shard: since when nothing is in flight, in milliseconds from the start of the run. */
  readonly idleSinceMs?: number | undefined;
}
