import { extname } from "node:path";
import type { ChalkInstance } from "chalk";
import type { RunResult } from "../stats/run-result.js";
import { coloursFor } from "./colours.js";
import { resultsCsv } from "./csv.js";
import { checkFile, writeFileWhole } from "./json.js";
import { resultJunit } from "./junit.js";
import { resultMarkdown } from "./markdown.js";
import { summaryText } from "./text.js";

/** The forms that a result can be shown in, by the name of their flag. */
export const REPORT_FORMS = {
  text: (result: RunResult, colours: ChalkInstance) => `${summaryText(result, colours)}\n`,
  markdown: resultMarkdown,
  html: async (result: RunResult) => {
    // It brings a chart library along.
    const { resultHtml } = await import("./html.js");
    return resultHtml(result);
  },
  junit: resultJunit,
  csv: (result: RunResult) => resultsCsv([result]),
} as const satisfies Readonly<Record<string, (result: RunResult, colours: ChalkInstance) => string | Promise<string>>>;

export type ReportForm = keyof typeof REPORT_FORMS;

export const REPORT_FORM_NAMES = Object.keys(REPORT_FORMS) as readonly ReportForm[];

/** Where `--html FILE` and the like want a report. */
export type ReportFiles = { readonly [Form in ReportForm]?: string | undefined };

/**
 * Checks that reports can be written before a run spends its time on one.
 * @throws UsageError that names the flag
 */
export async function checkReportFiles(files: ReportFiles): Promise<void> {
  for (const { form, file } of entriesOf(files)) await checkFile(`--${form}`, file);
}

/**
 * Writes the result in each form that is asked for, so that no file ever holds a part of one. With the number of a run
 * of several, each has files of its own: `report-2.html`.
 * @throws FanoutError that names the flag
 */
export async function writeReportFiles(files: ReportFiles, result: RunResult, number?: number): Promise<void> {
  for (const { form, file } of entriesOf(files)) {
    const text = await REPORT_FORMS[form](result, coloursFor({}));
    await writeFileWhole(`--${form}`, number === undefined ? file : numbered(file, number), text);
  }
}

function entriesOf(files: ReportFiles): readonly { readonly form: ReportForm; readonly file: string }[] {
  return REPORT_FORM_NAMES.flatMap((form) => {
    const file = files[form];
    return file === undefined ? [] : [{ form, file }];
  });
}

function numbered(file: string, number: number): string {
  const extension = extname(file);
  return `${file.slice(0, file.length - extension.length)}-${number}${extension}`;
}
