import { z } from "zod";
import { list, number, object, oneOf, plain, signed, string } from "./json-field.js";

const side = oneOf("base", "new");
const sides = <T extends z.ZodType>(item: T) => object({ base: item, new: item });

/** A run that allows no conclusion, or that is left out for its figures. */
export const unusableRun = object({
  side,
  runId: string,
  cause: oneOf("interrupted", "failed", "invalid"),
  reason: string,
});

/** A reason why two sides may differ for another cause than the compared change. */
export const caveat = z.discriminatedUnion(
  "kind",
  [
    object({
      kind: z.literal("hours-apart"),
      first: side.describe("The side of which all runs were measured first."),
      gapMs: number.describe("From its last start to the first one of the other."),
    }),
    object({ kind: z.literal("unlike-machines"), base: list(string), new: list(string) }).describe(
      "The processors of either side, such as 4 x AMD EPYC 7763.",
    ),
  ],
  { error: ({ code }) => (code === "invalid_union" ? '"hours-apart" or "unlike-machines"' : "an object") },
);

/** A field in which compared runs differ. */
export const difference = object({
  field: string.describe("Where it stands in the result, such as environment.node."),
  base: list(plain).describe("The distinct values, in the order of the runs; null where a run does not say."),
  new: list(plain),
});

export const comparedFigure = object({
  figure: string.describe("As a threshold names it, such as response p50."),
  base: number.describe("The geometric mean over the runs of the side, in milliseconds or per second."),
  new: number,
  ratio: number.describe("new / base"),
  interval: object({
    low: number,
    high: number,
    confidence: number.describe("By which the finding was made, so that all together have that of the comparison."),
  })
    .exactOptional()
    .describe("Where the ratio lies; absent, like p, where it is not known or not judged."),
  p: number
    .exactOptional()
    .describe('Of "the change is within the noise threshold", corrected for the number of figures.'),
  finding: oneOf("slower", "faster", "no difference shown", "run-to-run noise unknown", "not judged"),
});

export const movedPhases = object({
  baseMs: number.describe("The whole of a traced orchestration, the mean over the runs of the side."),
  newMs: number,
  phases: list(object({ phase: string, baseMs: number, newMs: number })).describe(
    "The same of each phase, the largest change first. Their changes add up to that of the whole.",
  ),
});

export const leftOutFigure = object({ figure: string, reason: string });

export const sideNames = sides(string);

/** The document of `fanout compare --json`, and the comparison with a baseline in a result. */
export const comparisonSchema = object({
  noiseThreshold: signed.describe("Of 1: a change within it is none."),
  confidence: number.describe("Of 1, for all findings together."),
  names: sideNames.exactOptional().describe("What the sides are called where they have names of their own."),
  runs: sides(list(string)).describe("Ids of the runs that are compared, in the order given."),
  caveats: list(caveat).describe("Why a difference may come from elsewhere."),
  differences: list(difference).describe("What else differs between the runs, and may be the cause."),
  dropped: list(unusableRun).describe("Runs that are left out because their figures are invalid."),
  unusable: list(unusableRun).describe(
    "Runs whose figures nothing may be concluded from. Where there is one, no figure is judged.",
  ),
  figures: list(comparedFigure),
  movedPhases: movedPhases
    .exactOptional()
    .describe("Where the time of the traced orchestrations went on either side; absent where a run has no breakdown."),
  leftOut: list(leftOutFigure).describe("Figures that not all runs have."),
});
