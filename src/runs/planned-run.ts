import type { Flags } from "../plan/plan-file.js";
import type { Billing } from "../plan/spend-guard.js";
import type { ResultPlan } from "../result/run-result.js";

/** A run that was asked for, valid as far as can be checked without a backend. */
export interface PlannedRun {
  /** Of `fanout run`, with its defaults. */
  readonly flags: Flags;
  readonly plan: ResultPlan;
  /** As `fanout run` prints it. */
  readonly planLine: string;
  /** If it was chosen. */
  readonly runId: string | undefined;
  /** Orchestrations of its own choice, by name; none for the workload of fanout. */
  readonly foreignNames: readonly string[];
  /** What it may cost at most; undefined if only time bounds it, or if the actions of each start are unknown. */
  readonly mostActions: number | undefined;
  /** Undefined if only time bounds them. */
  readonly mostStarts: number | undefined;
  /** @throws UsageError if a backend that bills so must not get it */
  readonly guard: (billing: Billing) => void;
}

/** Reads the body of a start, which has the keys of a plan file. Throws a UsageError that names the key. */
export type ReadPlan = (body: Readonly<Record<string, unknown>>) => PlannedRun;
