import type { Durability } from "./durability.js";

/**
 * What fanout asks its own emulator, outside TaskHubSidecarService: a gRPC service on the same socket whose messages
 * are JSON. Both ends are always of one version, so the shapes may change with any release.
 */
export const ADMIN_SERVICE = "fanout.emulator.Admin";

/** Work items of one kind, of all task hubs. */
export interface Backlog {
  /** They wait for a worker that takes them and has room. */
  readonly waiting: number;
  readonly withWorkers: number;
  /** They came back from a worker that refused them, or has gone, more than once: they wait until they are tried again. */
  readonly resting: number;
}

export interface EmulatorStatus {
  readonly pid: number;
  readonly version: string;
  /** Where it listens, one gRPC name each. */
  readonly endpoints: readonly string[];
  /** The folder that holds its database, socket and log. */
  readonly folder: string;
  readonly durability: Durability;
  readonly startedAt: string;
  readonly connections: number;
  readonly instances: number;
  readonly inFlight: number;
  readonly workers: number;
  /** Work items that had to be dispatched again since this process started, because their worker went away. */
  readonly redelivered: number;
  readonly backlog: { readonly orchestrations: Backlog; readonly activities: Backlog };
  /** The longest time for which its event loop did nothing else, milliseconds, since it listens. */
  readonly longestTurnMs: number;
  /** Instances that it has deleted since this process started, because of their age or the size of the store. */
  readonly expired: number;
  /** Orchestrations that have ended since this process started: completed, failed or terminated. */
  readonly orchestrationsEnded: number;
  /** Activity results taken in since this process started. */
  readonly activitiesCompleted: number;
  /** The database and its write-ahead log on disk, or what it has in memory where it is there alone. */
  readonly storeBytes: number;
}

/** What changes while it works, and costs next to nothing to ask for. */
export type EmulatorFigures = Pick<
  EmulatorStatus,
  "inFlight" | "workers" | "orchestrationsEnded" | "activitiesCompleted" | "storeBytes"
>;

/** What `Watch` is asked for. */
export interface HubWatch {
  readonly taskHub: string;
  readonly instanceIdPrefix: string;
  /** Of workers only those count that take work of this orchestrator, without a version. */
  readonly orchestrator?: string;
}

export interface HubProgress {
  readonly workers: number;
  /**
   * Milliseconds since the hub had a worker, or since the emulator started if it never had one; 0 while it has one. Where
   * an orchestrator is asked for, since the watch found none that takes it.
   */
  readonly workerlessMs: number;
  /** Activity results counted in the histories of the instances watched, those that ended included. */
  readonly activitiesCompleted: number;
  /** The first payload or id of them, since they are watched, that a Scheduler would have refused. */
  readonly beyondScheduler?: string;
}
