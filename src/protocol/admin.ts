import type { Durability } from "./durability.js";

/**
 * The service that fanout uses on its own emulator besides TaskHubSidecarService: a gRPC service on the same socket,
 * with JSON messages. Both ends always have the same version, so the messages may change with any release.
 */
export const ADMIN_SERVICE = "fanout.emulator.Admin";

/** The work items of one kind in all task hubs. */
export interface Backlog {
  /** They wait for a worker that accepts them and has room. */
  readonly waiting: number;
  readonly withWorkers: number;
  /** They were refused, or lost with their worker, more than once, and wait for their next attempt. */
  readonly resting: number;
}

export interface EmulatorStatus {
  readonly pid: number;
  readonly version: string;
  /** The addresses that it listens on, as gRPC names. */
  readonly endpoints: readonly string[];
  /** The folder that holds its database, socket and log. */
  readonly folder: string;
  readonly durability: Durability;
  readonly startedAt: string;
  readonly connections: number;
  readonly instances: number;
  readonly inFlight: number;
  readonly workers: number;
  /** Work items that were dispatched again since this process started, because their worker was lost. */
  readonly redelivered: number;
  readonly backlog: { readonly orchestrations: Backlog; readonly activities: Backlog };
  /** The longest turn of its event loop since it listens, in milliseconds. */
  readonly longestTurnMs: number;
  /** Instances that it deleted since this process started, because of their age or the size of the store. */
  readonly expired: number;
  /** Orchestrations that have ended since this process started: completed, failed or terminated. */
  readonly orchestrationsEnded: number;
  /** Activity results accepted since this process started. */
  readonly activitiesCompleted: number;
  /** The size of the database and its write-ahead log on disk, or of the state in memory. */
  readonly storeBytes: number;
}

/** The figures that change during its work and are cheap to read. */
export type EmulatorFigures = Pick<
  EmulatorStatus,
  "inFlight" | "workers" | "orchestrationsEnded" | "activitiesCompleted" | "storeBytes"
>;

/** The request of `Watch`. */
export interface HubWatch {
  readonly taskHub: string;
  readonly instanceIdPrefix: string;
  /** Only workers that accept this orchestrator, without a version, count. */
  readonly orchestrator?: string;
}

export interface HubProgress {
  readonly workers: number;
  /**
   * Milliseconds since the hub last had a worker, or since the emulator started; 0 while it has one. With an
   * orchestrator: since the watch found no worker that accepts it.
   */
  readonly workerlessMs: number;
  /** Activity results in the histories of the watched instances, including ended ones. */
  readonly activitiesCompleted: number;
  /** The first payload or id of the watched instances that a Scheduler would refuse. */
  readonly beyondScheduler?: string;
}
