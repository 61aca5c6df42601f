import type { RunResult, Verdict } from "../result/run-result.js";
import type { Shard } from "../result/shard.js";
import { verdictOf } from "./verdict.js";

interface JudgedPart {
  readonly shard: Shard;
  readonly verdict: Verdict | undefined;
}

/** Each shard's own reasons, and those that show only in the whole. */
export function mergedVerdict(parts: readonly JudgedPart[], measured: Omit<RunResult, "verdict">): Verdict {
  const own = parts.flatMap(({ shard, verdict }) => {
    return (verdict?.reasons ?? []).map((reason) => ({
      ...reason,
      text: `shard ${shard.number} of ${shard.of}: ${reason.text}`,
    }));
  });
  const named = new Set(own.map(({ name }) => name));
  const ofWhole = verdictOf(measured).reasons.filter(({ name }) => !named.has(name));
  const reasons = [...own, ...ofWhole];
  const isInvalid = reasons.some(({ severity }) => severity === "invalid");
  return { status: isInvalid ? "invalid" : reasons.length > 0 ? "suspect" : "valid", reasons };
}
