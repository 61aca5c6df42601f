import type { Workload } from "#workloads";

/** What the bench tells the process of a peer. */
export interface RunRequest {
  /** Counts from 1; no two orchestrations of different runs have the same id. */
  readonly run: number;
  readonly workload: Workload;
}

/** What the process answers: once that it is ready, then one of the others to each request. */
export type PeerMessage =
  | { readonly type: "ready" }
  | {
      readonly type: "done";
      readonly seconds: number;
      /** What the fan-ins of all orchestrations held. */
      readonly tally: FanInTally;
      /** Executions of activities, those of retries included. */
      readonly executions: number;
    }
  | { readonly type: "failed"; readonly message: string };

/** Counts of what the fan-ins of an orchestration held. */
export interface FanInTally {
  /** Results of activities that came exactly once, each in the fan-in that it belongs to. */
  readonly results: number;
  /** Fan-ins in which anything was lost, doubled or wrong. */
  readonly faulty: number;
}
