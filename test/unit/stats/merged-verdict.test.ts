import { expect, test } from "vitest";
import type { RunResult, Verdict, VerdictReason } from "../../../src/result/run-result.js";
import { mergedVerdict } from "../../../src/stats/merged-verdict.js";
import { sampleResult } from "../../support/report/sample-result.js";

type Severity = VerdictReason["severity"];

function slip(severity: Severity): Verdict {
  return { status: severity, reasons: [{ severity, name: "slip", text: "late", advice: "wait" }] };
}

/** What shows in the whole: late starts are this share of the p999, which no shard has samples for. */
function wholeWith(share: number): Omit<RunResult, "verdict"> {
  const response = { count: 20_000, mean: 20, p999: 100, max: 200, until: "noticed" as const };
  const { verdict: _verdict, ...measured } = sampleResult;
  return {
    ...measured,
    plan: {
      ...measured.plan,
      load: {
        kind: "open",
        arrival: "constant",
        stages: [{ fromPerSecond: 9, toPerSecond: 9, lengthMs: 1_000 }],
        maxInFlight: 9,
      },
    },
    latencyMs: { response },
    generator: { heldBack: 0, slipShare: { p999: share } },
  };
}

test.each<{ what: string; shard: Severity; share: number; status: Severity; from: readonly Severity[] }>([
  { what: "worse than that of a shard", shard: "suspect", share: 0.3, status: "invalid", from: ["suspect", "invalid"] },
  { what: "as bad as that of a shard", shard: "suspect", share: 0.07, status: "suspect", from: ["suspect"] },
  { what: "milder than that of a shard", shard: "invalid", share: 0.07, status: "invalid", from: ["invalid"] },
])(
  "a reason of the whole is told beside that of a shard only if it is worse: $what",
  ({ shard, share, status, from }) => {
    const parts = [{ shard: { number: 1, of: 2 }, verdict: slip(shard) }];
    const { status: found, reasons } = mergedVerdict(parts, wholeWith(share));
    expect(found).toBe(status);
    expect(reasons.filter(({ name }) => name === "slip").map(({ severity }) => severity)).toEqual(from);
  },
);
