import { z } from "zod";
import { UsageError } from "../errors.js";
import { ExitCode, firstOf } from "../exit-codes.js";
import { readFlags } from "../load/flags.js";
import { readResults } from "../report/read-result.js";
import { parseBound } from "../stats/bound.js";
import { compareRuns, LEAST_LEFT, type Comparison } from "../stats/comparison.js";
import type { RunResult } from "../stats/run-result.js";
import { unusableRuns } from "../stats/unusable-run.js";
import { checkComparisonFiles, showComparisons } from "./comparison-output.js";
import type { CommandIo } from "./io.js";

const file = z.string().optional();

const compareFlags = z.object({
  /** A file, or true for stdout. */
  json: z.union([z.string(), z.literal(true)]).optional(),
  markdown: file,
  html: file,
  junit: file,
  allowInvalid: z.boolean().default(false),
  noiseThreshold: z.string().transform((text, context) => {
    const share = parseBound(text.trim(), "share");
    if (share !== undefined) return share;
    const message = `--noise-threshold: expected a share from 0 to 1 such as 5% or 0.05, found "${text}"`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  }),
});

/** The files of a command line, and how many of them came after a `--`; undefined where there was none. */
export interface FilesToCompare {
  readonly files: readonly string[];
  readonly afterDashes?: number | undefined;
}

/** `fanout compare`: two sets of results that runs wrote. Exits with 98 where the new one is slower. */
export async function runCompareCommand(call: FilesToCompare, rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const { noiseThreshold, allowInvalid, ...output } = readFlags(compareFlags, rawFlags);
  await checkComparisonFiles(output);
  const [baseFiles, newFiles] = sidesOf(call);
  const [base, fresh] = [await readAll(baseFiles), await readAll(newFiles)];
  const comparison = compareRuns(base, fresh, { noiseThreshold, allowInvalid });
  await showComparisons([comparison], comparison, output, io);
  return exitCodeOf([comparison]);
}

/** What `fanout run` is to be compared with. */
interface BaselineCall {
  readonly baseline: readonly string[];
  readonly allowInvalid: boolean;
  readonly repeat: number;
}

/**
 * What `fanout run --baseline FILE...` is to be compared with; of no file, nothing.
 * @throws UsageError also where the runs are of no use as a baseline, before a new one spends its time
 */
export async function readBaseline(call: BaselineCall): Promise<readonly RunResult[]> {
  const results = await readAll(call.baseline);
  const unusable = unusableRuns("base", results, call.allowInvalid);
  const canDrop = Math.min(results.length - unusable.length, call.repeat) >= LEAST_LEFT;
  const [first] = unusable.filter(({ cause }) => cause !== "invalid" || !canDrop);
  if (first) throw new UsageError(`--baseline: expected runs that went well, found ${first.runId}: ${first.reason}`);
  return results;
}

/** What comparisons make a command exit with. */
export function exitCodeOf(comparisons: readonly Comparison[]): ExitCode {
  return firstOf(
    comparisons.flatMap(({ unusable, figures }) => [
      ...unusable.map(({ cause }) => (cause === "invalid" ? ExitCode.Invalid : ExitCode.Failure)),
      ...(figures.some(({ finding }) => finding === "slower") ? [ExitCode.Slower] : []),
    ]),
  );
}

function sidesOf({ files, afterDashes }: FilesToCompare): readonly [base: readonly string[], fresh: readonly string[]] {
  const isPair = afterDashes === undefined && files.length === 2;
  const split = isPair ? 1 : files.length - (afterDashes ?? 0);
  const [base, fresh] = [files.slice(0, split), files.slice(split)];
  if (base.length > 0 && fresh.length > 0) return [base, fresh];
  const found = afterDashes === undefined ? `${files.length} without \`--\`` : `${base.length} and ${fresh.length}`;
  throw new UsageError(`expected two files, or BASE... -- NEW..., found ${found}: ${files.join(", ")}`);
}

async function readAll(files: readonly string[]): Promise<readonly RunResult[]> {
  return (await Promise.all(files.map(readResults))).flat();
}
