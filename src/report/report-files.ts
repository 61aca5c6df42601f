import { extname } from "node:path";
import type { RunResult } from "../result/run-result.js";
import { styleFor } from "./text-style.js";
import { writeFileWhole } from "./json.js";
import { checkOutputFiles } from "./output-files.js";
import { REPORT_FORM_NAMES, REPORT_FORMS, type ReportFormName, type SomeResults } from "./report-forms.js";

/** The files of `--html FILE` and similar flags. */
export type ReportFiles = { readonly [Form in ReportFormName]?: string | undefined };

/**
 * Checks that results can be written, each to a file of its own, before a run spends its time. `json`: true is stdout.
 * @throws UsageError that names the flag
 */
export async function checkResultFiles(
  files: ReportFiles & { readonly json?: string | true | undefined },
): Promise<void> {
  const outputs = ["json", ...REPORT_FORM_NAMES] as const;
  await checkOutputFiles(Object.fromEntries(outputs.map((name) => [name, files[name]])));
}

/**
 * Writes the results in each requested form. No file ever holds a part of one.
 * @throws FanoutError that names the flag
 */
export async function writeReportFiles(files: ReportFiles, results: SomeResults): Promise<void> {
  for (const { form, file } of entriesOf(files)) await writeForm(form, file, results);
}

/**
 * Writes one of several results, for forms with a file for each run: `report-2.html` is the second one.
 * @throws FanoutError that names the flag
 */
export async function writeNumberedFiles(files: ReportFiles, result: RunResult, number: number): Promise<void> {
  for (const { form, file } of entriesOf(files))
    if (REPORT_FORMS[form].filePerRun) await writeForm(form, numbered(file, number), [result]);
}

async function writeForm(form: ReportFormName, file: string, results: SomeResults): Promise<void> {
  await writeFileWhole(`--${form}`, file, await REPORT_FORMS[form].write(results, styleFor({})));
}

function entriesOf(files: ReportFiles): readonly { readonly form: ReportFormName; readonly file: string }[] {
  return REPORT_FORM_NAMES.flatMap((form) => {
    const file = files[form];
    return file === undefined ? [] : [{ form, file }];
  });
}

function numbered(file: string, number: number): string {
  const extension = extname(file);
  return `${file.slice(0, file.length - extension.length)}-${number}${extension}`;
}
