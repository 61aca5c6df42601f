import type { LatencySummary, Stall } from "../result/run-result.js";

/** How far a run is at one moment. */
export interface LiveSnapshot {
  readonly elapsedMs: number;
  /** How long starts are due, where time bounds them. */
  readonly lengthMs?: number;
  /** A total of 0 means that it is not known before the end. */
  readonly orchestrations: { readonly total: number; readonly started: number; readonly ended: number };
  /** A total of 0 means that activities are not known. */
  readonly activities: {
    readonly total: number;
    readonly completed: number;
    /** Of one fan-out. */
    readonly perIteration?: number;
  };
  /** The response time so far as the client notices it, as far as the sample carries it; absent in closed load. */
  readonly responseMs: LatencySummary | undefined;
  readonly serviceMs?: LatencySummary | undefined;
  /** What only the run that makes the load knows of it. */
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
  /** Failed attempts by gRPC status name. */
  readonly rpcErrors: Readonly<Record<string, number>>;
  /** One that has not ended. */
  readonly stall: Stall | undefined;
}
