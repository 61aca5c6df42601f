import { formatCount } from "../format/count.js";
import type { RunResult, UnusableRun } from "../result/run-result.js";

/** A failed run may be fast because it failed, so neither side may have one. */
export function unusableRuns(
  side: UnusableRun["side"],
  runs: readonly RunResult[],
  allowInvalid = false,
): readonly UnusableRun[] {
  return runs.flatMap((run) => {
    const objection = objectionTo(run, allowInvalid);
    return objection ? [{ side, runId: run.runId, ...objection }] : [];
  });
}

/** Why a run allows no conclusion; undefined if it does. */
export function objectionTo(
  { interrupted, counts, recount, throughput, verdict }: RunResult,
  allowInvalid: boolean,
): Pick<UnusableRun, "cause" | "reason"> | undefined {
  if (interrupted) return { cause: "interrupted", reason: "it was interrupted" };
  const { started, completed } = counts.orchestrations;
  const due = Math.max(counts.planned ?? 0, started);
  if (completed < due) {
    return {
      cause: "failed",
      reason: `${formatCount(due - completed)} of ${formatCount(due)} orchestrations did not complete`,
    };
  }
  const lost = recount !== undefined && "lost" in recount ? recount.lost.total : 0;
  if (lost > 0) return { cause: "failed", reason: `${formatCount(lost)} orchestrations were lost` };
  if (!throughput?.orchestrationsPerSecond) return { cause: "failed", reason: "nothing completed in what it measured" };
  if (verdict?.status !== "invalid" || allowInvalid) return undefined;
  const grave = verdict.reasons.filter(({ severity }) => severity === "invalid").map(({ text }) => text);
  return { cause: "invalid", reason: `its figures are invalid: ${grave.join("; ")}` };
}
