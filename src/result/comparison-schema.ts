import { z } from "zod";
import type { Caveat } from "../stats/caveat.js";
import type { Comparison } from "../stats/comparison.js";
import type { Plain } from "../stats/run-differences.js";
import { list, number, object, oneOf, signed, string } from "./json-field.js";

const side = oneOf("base", "new");
const sides = <T extends z.ZodType>(item: T) => object({ base: item, new: item });
const plain = z.json() as z.ZodType<Plain>;
const objections = list(
  object({ side, runId: string, cause: oneOf("interrupted", "failed", "invalid"), reason: string }),
);

const caveat: z.ZodType<Caveat> = z.discriminatedUnion(
  "kind",
  [
    object({
      kind: z.literal("hours-apart"),
      first: side.describe("The side that was measured first."),
      gapMs: number.describe("From its last start to the first one of the other."),
    }),
    object({ kind: z.literal("unlike-machines"), base: list(string), new: list(string) }).describe(
      "The processors of either side, such as 4 x AMD EPYC 7763.",
    ),
  ],
  { error: ({ code }) => (code === "invalid_union" ? '"hours-apart" or "unlike-machines"' : "an object") },
);

const figure = object({
  figure: string.describe("As a threshold names it, such as response p50."),
  base: number.describe("The geometric mean over the runs of the side, in milliseconds or per second."),
  new: number,
  ratio: number.describe("new / base"),
  interval: object({ low: number, high: number, confidence: number })
    .exactOptional()
    .describe("Where the ratio lies; absent, like p, where it is not known or not judged."),
  p: number
    .exactOptional()
    .describe('Of "the change is within the noise threshold", corrected for the number of figures.'),
  finding: oneOf("slower", "faster", "no difference shown", "run-to-run noise unknown", "not judged"),
});

/** What `fanout compare --json` writes, and where a result holds a comparison with its baseline. */
export const comparisonSchema: z.ZodType<Comparison> = object({
  noiseThreshold: signed.describe("Of 1: a change within it is none."),
  confidence: number.describe("Of 1, for all findings together."),
  names: sides(string).exactOptional().describe("What the sides are called where they have names of their own."),
  runs: sides(list(string)).describe("Ids of the runs that are compared."),
  caveats: list(caveat).describe("Why a difference may come from elsewhere."),
  differences: list(object({ field: string, base: list(plain), new: list(plain) })).describe(
    "What else differs between the runs, and may be the cause.",
  ),
  dropped: objections.describe("Runs that are left out because their figures are invalid."),
  unusable: objections.describe("Where there is one, no figure is judged."),
  figures: list(figure),
  leftOut: list(object({ figure: string, reason: string })).describe("Figures that not all runs have."),
});
