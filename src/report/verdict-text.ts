import type { Verdict, VerdictReason } from "../result/run-result.js";

const HEADLINES = {
  suspect: { word: "Suspect", rest: ": take these figures with care" },
  invalid: { word: "Invalid", rest: ": do not use these figures" },
} as const;

/** Why the figures of a run may be misleading. */
export interface Doubt {
  readonly status: "suspect" | "invalid";
  readonly word: "Suspect" | "Invalid";
  /** The rest of the sentence, with its leading colon. */
  readonly rest: string;
  /** The most serious one first. */
  readonly reasons: readonly VerdictReason[];
}

/** Undefined if the verdict is valid or unknown. */
export function doubtOf(verdict: Verdict | undefined): Doubt | undefined {
  if (verdict === undefined || verdict.status === "valid") return undefined;
  const { status, reasons } = verdict;
  const grave = reasons.filter(({ severity }) => severity === "invalid");
  const others = reasons.filter(({ severity }) => severity === "suspect");
  return { status, ...HEADLINES[status], reasons: [...grave, ...others] };
}
