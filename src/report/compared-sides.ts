import { z } from "zod";
import { compareCandidates, type ComparisonOptions } from "../stats/comparison.js";
import { comparisonSchema } from "../result/comparison-schema.js";
import { list, object, string, type ValueOf } from "../result/json-field.js";
import { checkedBy, documentIn, hasSides } from "../result/result-document.js";
import { resultSchema } from "../result/result-schema.js";
import type { Comparison } from "../result/run-result.js";

/** The document of `fanout compare --run ... --json`. It has all measurements, so that they can be judged again. */
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
 * Reads the document that `fanout compare --run ... --json FILE` wrote; undefined if the file holds something else.
 * @throws UsageError if it is such a document and invalid
 */
export async function readComparedSides(file: string): Promise<ComparedSides | undefined> {
  const { value, name } = await documentIn(file);
  return hasSides(value) ? checkedBy(comparedSidesSchema, value, name) : undefined;
}

/** Compares each side with the first one. Empty while a side has no run. */
export function comparisonsOf(sides: ComparedSides["sides"], options: ComparisonOptions): readonly Comparison[] {
  const [base, ...others] = sides;
  if (!base || sides.some(({ results }) => results.length === 0)) return [];
  const candidates = others.map(({ name, results }) => ({ runs: results, names: { base: base.name, new: name } }));
  return compareCandidates(base.results, candidates, options);
}
