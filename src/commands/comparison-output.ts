import { readFile, stat } from "node:fs/promises";
import { UsageError } from "../errors.js";
import { coloursFor } from "../report/colours.js";
import { comparisonsJunit } from "../report/comparison-junit.js";
import { comparisonsMarkdown } from "../report/comparison-markdown.js";
import { comparisonsText } from "../report/comparison-text.js";
import { checkFile, prettyJson, writeFileWhole } from "../report/json.js";
import { parseResults } from "../report/read-result.js";
import { appendStepSummary } from "../report/step-summary.js";
import type { Comparison } from "../stats/comparison.js";
import type { CommandIo } from "./io.js";

const FORMS = {
  markdown: comparisonsMarkdown,
  junit: comparisonsJunit,
  html: async (comparisons: readonly Comparison[]) => (await import("../report/pages.js")).comparisonsHtml(comparisons),
};

const FORM_NAMES = Object.keys(FORMS) as readonly (keyof typeof FORMS)[];

/** Where comparisons are to go beside the terminal. */
export interface ComparisonOutput {
  /** A file, or true for stdout, which then has nothing else. */
  readonly json?: string | true | undefined;
  readonly markdown?: string | undefined;
  readonly junit?: string | undefined;
  readonly html?: string | undefined;
}

/**
 * Checks that what is asked for can be written, and that no measurement is written over.
 * @throws UsageError that names the flag
 */
export async function checkComparisonFiles(output: ComparisonOutput): Promise<void> {
  const { json } = output;
  const files = { ...output, json: json === true ? undefined : json };
  for (const [flag, file] of Object.entries(files)) {
    if (file === undefined) continue;
    await checkFile(`--${flag}`, file);
    if (await holdsResults(file)) {
      throw new UsageError(
        `--${flag}: expected a file to write the comparison to, found ${file}, which holds results of runs: ` +
          "put the flag behind the files, or name another file",
      );
    }
  }
}

/** Prints comparisons, and writes them where they are asked for; `document` is what `--json` writes of them. */
export async function showComparisons(
  comparisons: readonly Comparison[],
  document: unknown,
  output: ComparisonOutput,
  { stdout, stderr }: CommandIo,
): Promise<void> {
  const { json } = output;
  stdout.write(json === true ? `${prettyJson(document)}\n` : `${comparisonsText(comparisons, coloursFor(stdout))}\n`);
  await appendStepSummary(comparisonsMarkdown(comparisons), process.env["GITHUB_STEP_SUMMARY"], (line) =>
    stderr.write(`${line}\n`),
  );
  if (typeof json === "string") await writeFileWhole("--json", json, `${prettyJson(document)}\n`);
  for (const form of FORM_NAMES) {
    const file = output[form];
    if (file !== undefined) await writeFileWhole(`--${form}`, file, await FORMS[form](comparisons));
  }
}

async function holdsResults(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile() && parseResults(await readFile(file, "utf8"), file).length > 0;
  } catch {
    // What cannot be read, or is something else, is no measurement.
    return false;
  }
}
