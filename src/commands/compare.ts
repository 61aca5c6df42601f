import type { ChalkInstance } from "chalk";
import { z } from "zod";
import { UsageError } from "../errors.js";
import { ExitCode, firstOf } from "../exit-codes.js";
import { readFlags } from "../load/flags.js";
import { coloursFor } from "../report/colours.js";
import { comparisonText } from "../report/comparison-text.js";
import { readResults } from "../report/read-result.js";
import { parseBound } from "../stats/bound.js";
import { compareRuns, type Comparison, type ComparisonOptions } from "../stats/comparison.js";
import type { RunResult } from "../stats/run-result.js";
import { unusableRuns } from "../stats/unusable-run.js";
import type { CommandIo } from "./io.js";

const compareFlags = z.object({
  json: z.boolean().default(false),
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
  const { json, noiseThreshold } = readFlags(compareFlags, rawFlags);
  const [baseFiles, newFiles] = sidesOf(call);
  const base = await readAll(baseFiles);
  const fresh = await readAll(newFiles);
  const { comparison, text, exitCode } = compareWith(base, fresh, coloursFor(io.stdout), { noiseThreshold });
  io.stdout.write(json ? `${JSON.stringify(comparison, undefined, 2)}\n` : `${text}\n`);
  return exitCode;
}

/**
 * What `fanout run --baseline FILE...` is to be compared with; of no file, nothing.
 * @throws UsageError also where a run is of no use as a baseline, before a new one spends its time
 */
export async function readBaseline(files: readonly string[]): Promise<readonly RunResult[]> {
  const results = await readAll(files);
  const [unusable] = unusableRuns("base", results);
  if (unusable) {
    throw new UsageError(`--baseline: expected runs that went well, found ${unusable.runId}: ${unusable.reason}`);
  }
  return results;
}

/** A comparison, its text for a person without a final newline, and what it makes a command exit with. */
export interface Compared {
  readonly comparison: Comparison;
  readonly text: string;
  readonly exitCode: ExitCode;
}

/** @throws UsageError where a side is empty or a run is given twice */
export function compareWith(
  base: readonly RunResult[],
  fresh: readonly RunResult[],
  colours: ChalkInstance,
  options: ComparisonOptions = {},
): Compared {
  const comparison = compareRuns(base, fresh, options);
  return { comparison, text: comparisonText(comparison, colours), exitCode: exitCodeOf(comparison) };
}

function exitCodeOf({ unusable, figures }: Comparison): ExitCode {
  return firstOf([
    ...unusable.map(({ cause }) => (cause === "invalid" ? ExitCode.Invalid : ExitCode.Failure)),
    ...(figures.some(({ finding }) => finding === "slower") ? [ExitCode.Slower] : []),
  ]);
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
