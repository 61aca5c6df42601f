import { z } from "zod";
import { compareCandidates, type Comparison, type ComparisonOptions } from "../stats/comparison.js";
import type { RunResult } from "../result/run-result.js";
import { comparisonSchema } from "../result/comparison-schema.js";
import { list, object, string } from "../result/json-field.js";
import { resultSchema } from "../result/result-schema.js";

/** One side that was measured, with all of its runs. */
interface ComparedSide {
  readonly name: string;
  /** What was run, without what may be a secret. */
  readonly command: string;
  readonly results: readonly RunResult[];
}

/** What `fanout compare --run ... --json` writes: all that was measured, so that it can be judged again. */
export interface ComparedSides {
  readonly schemaVersion: 1;
  /** The first is the base. */
  readonly sides: readonly ComparedSide[];
  /** Of each other side with the base; empty until every side has a run. */
  readonly comparisons: readonly Comparison[];
}

export const comparedSidesSchema: z.ZodType<ComparedSides> = object({
  schemaVersion: z.literal(1, "1"),
  sides: list(object({ name: string, command: string, results: list(resultSchema) })).describe(
    "The first is the base.",
  ),
  comparisons: list(comparisonSchema).describe("Of each other side with the base; empty until every side has a run."),
});

/** Each side with the first of them; none while a side has no run. */
export function comparisonsOf(sides: ComparedSides["sides"], options: ComparisonOptions): readonly Comparison[] {
  const [base, ...others] = sides;
  if (!base || sides.some(({ results }) => results.length === 0)) return [];
  const candidates = others.map(({ name, results }) => ({ runs: results, names: { base: base.name, new: name } }));
  return compareCandidates(base.results, candidates, options);
}
