import type { ResultEnvironment, ResultPlan, TracedWorker } from "../result/run-result.js";

/** What one process knows of the whole run if it coordinates all generators. Files of shards do not tell it. */
export interface Coordinated {
  /** Of the whole run, with the workers of the coordinator. */
  readonly plan: ResultPlan;
  readonly environment: ResultEnvironment;
  /** The activities that the emulator has counted. */
  readonly activities?: number | undefined;
  /** The activities that the run's own workers executed for anything on the hub; undefined if others took part. */
  readonly executed?: number | undefined;
  /** The run's own workers. */
  readonly workers?: readonly TracedWorker[];
}
