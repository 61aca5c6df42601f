import { z } from "zod";
import { compareCandidates, type ComparisonOptions } from "../stats/comparison.js";
import { comparisonSchema } from "../result/comparison-schema.js";
import { list, object, string, type ValueOf } from "../result/json-field.js";
import { checkedBy, documentIn, hasSides } from "../result/result-document.js";
import { resultSchema } from "../result/result-schema.js";
import type { Comparison } from "../result/run-result.js";

/** What `fanout compare --run ... --json` writes: all that was measured, so that it can be judged again. */
export const comparedSidesSchema = object({
  schemaVersion: z.literal(1, "1"),
  sides: list(
    object({
      name: string,
      command: string.describe("What was run, without what may be a secret."),
      results: list(resultSchema),
    }),
  ).describe("All that were measured, each with all of its runs. The first is the base."),
  comparisons: list(comparisonSchema).describe("Of each other side with the base; empty until every side has a run."),
});

export type ComparedSides = ValueOf<typeof comparedSidesSchema>;

/**
 * What `fanout compare --run ... --json FILE` wrote into a file; undefined where it holds something else.
 * @throws UsageError where it is such a document and broken
 */
export async function readComparedSides(file: string): Promise<ComparedSides | undefined> {
  const { value, name } = await documentIn(file);
  return hasSides(value) ? checkedBy(comparedSidesSchema, value, name) : undefined;
}

/** Each side with the first of them; none while a side has no run. */
export function comparisonsOf(sides: ComparedSides["sides"], options: ComparisonOptions): readonly Comparison[] {
  const [base, ...others] = sides;
  if (!base || sides.some(({ results }) => results.length === 0)) return [];
  const candidates = others.map(({ name, results }) => ({ runs: results, names: { base: base.name, new: name } }));
  return compareCandidates(base.results, candidates, options);
}
