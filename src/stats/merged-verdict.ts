import type { RunResult, Verdict, VerdictReason } from "../result/run-result.js";
import type { Shard } from "../result/shard.js";
import { verdictOf } from "./verdict.js";

interface JudgedPart {
  readonly shard: Shard;
  readonly verdict: Verdict | undefined;
}

/** Each shard's own reasons, and those that show only in the whole, or are worse there. */
export function mergedVerdict(parts: readonly JudgedPart[], measured: Omit<RunResult, "verdict">): Verdict {
  const own = parts.flatMap(({ shard, verdict }) => {
    return (verdict?.reasons ?? []).map((reason) => ({
      ...reason,
      text: `shard ${shard.number} of ${shard.of}: ${reason.text}`,
    }));
  });
  const ofWhole = verdictOf(measured).reasons.filter((reason) => !own.some((each) => says(each, reason)));
  const reasons = [...own, ...ofWhole];
  const isInvalid = reasons.some(({ severity }) => severity === "invalid");
  return { status: isInvalid ? "invalid" : reasons.length > 0 ? "suspect" : "valid", reasons };
}

/** Whether a reason has the name of another, and is at least as severe. */
function says(reason: VerdictReason, other: VerdictReason): boolean {
  return reason.name === other.name && (reason.severity === "invalid" || other.severity === "suspect");
}
