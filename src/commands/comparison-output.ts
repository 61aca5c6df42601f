import type { Comparison } from "../result/run-result.js";
import { stat } from "node:fs/promises";
import { UsageError } from "../errors.js";
import { ExitCode, firstOf } from "../exit-codes.js";
import { styleFor } from "../report/text-style.js";
import { comparisonsJunit } from "../report/comparison-junit.js";
import { comparisonsMarkdown } from "../report/comparison-markdown.js";
import { comparisonsText } from "../report/comparison-text.js";
import { prettyJson, writeFileWhole } from "../report/json.js";
import { checkOutputFiles, outputFilesOf } from "../report/output-files.js";
import { readComparedSides } from "../report/compared-sides.js";
import { readResults } from "../result/read-result.js";
import { appendStepSummary } from "../report/step-summary.js";
import type { CommandIo } from "./io.js";

const FORMS = {
  markdown: comparisonsMarkdown,
  junit: comparisonsJunit,
  html: async (comparisons: readonly Comparison[]) => (await import("../report/pages.js")).comparisonsHtml(comparisons),
};

const FORM_NAMES = Object.keys(FORMS) as readonly (keyof typeof FORMS)[];

/** The outputs of comparisons besides the terminal. */
export interface ComparisonOutput {
  /** A file, or true for stdout, which then has nothing else. */
  readonly json?: string | true | undefined;
  readonly markdown?: string | undefined;
  readonly junit?: string | undefined;
  readonly html?: string | undefined;
}

/**
 * Checks that the outputs can be written. With `keepResults` it refuses a file that holds results, which may be one of
 * the inputs.
 * @throws UsageError that names the flag
 */
export async function checkComparisonFiles(output: ComparisonOutput, keepResults: boolean): Promise<void> {
  const flags = { ...output };
  await checkOutputFiles(flags);
  for (const { flag, file } of keepResults ? outputFilesOf(flags) : []) {
    if (!(await holdsResults(file))) continue;
    throw new UsageError(
      "results-in-the-way",
      `${flag}: expected a file to write the comparison to, found ${file}, which holds results of runs`,
      { hint: "put the flag after the files, or name another file" },
    );
  }
}

/** Prints comparisons and writes the requested outputs. `document` is the content of `--json`. */
export async function showComparisons(
  comparisons: readonly Comparison[],
  document: unknown,
  output: ComparisonOutput,
  { stdout, stderr }: CommandIo,
): Promise<void> {
  const { json } = output;
  stdout.write(json === true ? `${prettyJson(document)}\n` : `${comparisonsText(comparisons, styleFor(stdout))}\n`);
  await appendStepSummary(comparisonsMarkdown(comparisons), process.env["GITHUB_STEP_SUMMARY"], (line) =>
    stderr.write(`${line}\n`),
  );
  if (typeof json === "string") await writeFileWhole("--json", json, `${prettyJson(document)}\n`);
  for (const form of FORM_NAMES) {
    const file = output[form];
    if (file !== undefined) await writeFileWhole(`--${form}`, file, await FORMS[form](comparisons));
  }
}

/** The exit code of comparisons. */
export function exitCodeOf(comparisons: readonly Comparison[]): ExitCode {
  return firstOf(
    comparisons.flatMap(({ unusable, figures }) => [
      ...unusable.map(({ cause }) => (cause === "invalid" ? ExitCode.Invalid : ExitCode.Failure)),
      ...(figures.some(({ finding }) => finding === "slower") ? [ExitCode.Slower] : []),
    ]),
  );
}

async function holdsResults(file: string): Promise<boolean> {
  try {
    if (!(await stat(file)).isFile()) return false;
    return (await readComparedSides(file)) !== undefined || (await readResults(file)).length > 0;
  } catch {
    // An unreadable file, or any other content, is no result.
    return false;
  }
}
