import { z } from "zod";
import { UsageError } from "../errors.js";
import type { ExitCode } from "../exit-codes.js";
import { count, readFlags } from "../plan/flag-values.js";
import { comparisonsOf, readComparedSides } from "../report/compared-sides.js";
import { readResults } from "../result/read-result.js";
import { parseBound } from "../stats/bound.js";
import { compareRuns, LEAST_LEFT, type ComparisonOptions } from "../stats/comparison.js";
import type { RunResult } from "../result/run-result.js";
import { unusableRuns } from "../stats/unusable-run.js";
import { checkComparisonFiles, exitCodeOf, showComparisons, type ComparisonOutput } from "./comparison-output.js";
import type { CommandIo } from "./io.js";

const MOST_REPEATS = 1_000;
/** This number of runs on each side finds a slowdown of 15 % in nine of ten cases: docs/comparing.md. */
const DEFAULT_REPEATS = 5;

const file = z.string().optional();

const compareFlags = z.object({
  /** A file, or true for stdout. */
  json: z.union([z.string(), z.literal(true)]).optional(),
  markdown: file,
  html: file,
  junit: file,
  /** The sides to measure. The first one is the base. */
  run: z.array(z.string()).default([]),
  name: z.array(z.string()).default([]),
  repeat: count("--repeat", 1, MOST_REPEATS).optional(),
  allowInvalid: z.boolean().default(false),
  noiseThreshold: z.string().transform((text, context) => {
    const share = parseBound(text.trim(), "share");
    if (share !== undefined) return share;
    const message = `--noise-threshold: expected a share from 0 to 1 such as 5% or 0.05, found "${text}"`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  }),
});

/** The files of a command line, and the number of those after `--`; undefined without a `--`. */
export interface FilesToCompare {
  readonly files: readonly string[];
  readonly afterDashes?: number | undefined;
}

/**
 * `fanout compare`: compares two sets of results, or measures the sides itself. Exits with 98 if a new one is slower.
 */
export async function runCompareCommand(call: FilesToCompare, rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const { noiseThreshold, allowInvalid, run, name, repeat, ...output } = readFlags(compareFlags, rawFlags);
  const options = { noiseThreshold, allowInvalid };
  if (run.length > 0) {
    const texts = { runs: run, names: name, common: commonFlags(call) };
    await checkComparisonFiles(output, false);
    const { compareSides } = await import("./compare-sides.js");
    return compareSides({ texts, repeat: repeat ?? DEFAULT_REPEATS, options, output }, io);
  }
  const alien = name.length > 0 ? "--name" : repeat === undefined ? undefined : "--repeat";
  if (alien !== undefined)
    throw new UsageError("missing-flag", `${alien}: expected --run with it, since it applies to measured sides only`);
  await checkComparisonFiles(output, true);
  return compareFiles(call, options, output, io);
}

async function compareFiles(
  call: FilesToCompare,
  options: ComparisonOptions,
  output: ComparisonOutput,
  io: CommandIo,
): Promise<ExitCode> {
  const [only, ...more] = call.files;
  const measured = only !== undefined && more.length === 0 ? await readComparedSides(only) : undefined;
  if (measured) {
    const comparisons = comparisonsOf(measured.sides, options);
    if (comparisons.length === 0)
      throw new UsageError("incomparable-runs", `${only}: expected runs of each side, found a side without any`);
    await showComparisons(comparisons, { ...measured, comparisons }, output, io);
    return exitCodeOf(comparisons);
  }
  const [baseFiles, newFiles] = sidesOf(call);
  const [base, fresh] = [await readAll(baseFiles), await readAll(newFiles)];
  const comparison = compareRuns(base, fresh, options);
  await showComparisons([comparison], comparison, output, io);
  return exitCodeOf([comparison]);
}

/** Words after `--` apply to every side. Files are not allowed beside measured sides. */
function commonFlags({ files, afterDashes = 0 }: FilesToCompare): readonly string[] {
  const split = files.length - afterDashes;
  if (split === 0) return files;
  const found = files.slice(0, split).join(", ");
  throw new UsageError("conflicting-flags", `--run: expected no files beside it, found ${found}`, {
    hint: "put flags for all sides after --",
  });
}

/** The baseline of `fanout run`. */
interface BaselineCall {
  readonly baseline: readonly string[];
  readonly allowInvalid: boolean;
  readonly repeat: number;
}

/**
 * Reads `--baseline FILE...`; empty without a file.
 * @throws UsageError also if the runs are useless as a baseline, before a new run spends its time
 */
export async function readBaseline(call: BaselineCall): Promise<readonly RunResult[]> {
  const results = await readAll(call.baseline);
  const unusable = unusableRuns("base", results, call.allowInvalid);
  const canDrop = Math.min(results.length - unusable.length, call.repeat) >= LEAST_LEFT;
  const [first] = unusable.filter(({ cause }) => cause !== "invalid" || !canDrop);
  if (first) {
    throw new UsageError(
      "unusable-baseline",
      `--baseline: expected runs without failures, found ${first.runId}: ${first.reason}`,
    );
  }
  return results;
}

function sidesOf({ files, afterDashes }: FilesToCompare): readonly [base: readonly string[], fresh: readonly string[]] {
  const isPair = afterDashes === undefined && files.length === 2;
  const split = isPair ? 1 : files.length - (afterDashes ?? 0);
  const [base, fresh] = [files.slice(0, split), files.slice(split)];
  if (base.length > 0 && fresh.length > 0) return [base, fresh];
  const found = afterDashes === undefined ? `${files.length} without \`--\`` : `${base.length} and ${fresh.length}`;
  const list = files.length === 0 ? "" : `: ${files.join(", ")}`;
  throw new UsageError(
    "missing-flag",
    `expected two files, BASE... -- NEW..., or --run for each side, found ${found}${list}`,
  );
}

async function readAll(files: readonly string[]): Promise<readonly RunResult[]> {
  return (await Promise.all(files.map(readResults))).flat();
}
