import type { BackgroundProcess, ProcessOptions } from "#background-process";
import type { Workload } from "#workloads";

/** Something that runs orchestrations, and that fanout is measured beside; or fanout itself. */
export interface Engine {
  readonly name: string;
  /** In words: what has happened to a result when the engine calls it done. */
  readonly durability: string;
  /** Whether that includes an fsync. */
  readonly durable: boolean;
  /** Which program it lacks on this machine and how to get it; undefined where it can be started. */
  missing(): string | undefined;
  /** Why it cannot do this workload; undefined where it can. */
  cannot(workload: Workload): string | undefined;
  /** Resolves when it would take the first orchestration; whatever it started is ended where it throws. */
  start(place: Place): Promise<RunningEngine>;
}

/** Where an engine puts what it has, and how it starts what makes things durable. */
export interface Place {
  /** Its own, and empty. */
  readonly folder: string;
  /** A server process, its commits slowed where that was asked for. */
  startServer(name: string, command: string, args: readonly string[], options?: ProcessOptions): BackgroundProcess;
}

export interface RunningEngine {
  /** Of its parts, in words. */
  readonly versions: string;
  /** Its processes as of now; the children of each count as well. */
  pids(): readonly number[];
  /** Those among them that hold the state. */
  serverPids(): readonly number[];
  /**
   * All of a workload, its results checked.
   * @throws where a result is lost, doubled or wrong, or when the signal is aborted
   */
  run(workload: Workload, signal: AbortSignal): Promise<Outcome>;
  stop(): Promise<void>;
}

export interface Outcome {
  /** From the first start until the last result was known to the one who started it. */
  readonly seconds: number;
  /** What is to be known about this run; the same text in each run counts as one remark. */
  readonly remarks: readonly string[];
}
