import { z } from "zod";
import { UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { coloursFor } from "../report/colours.js";
import { resultsCsv } from "../report/csv.js";
import { oneLine } from "../format/one-line.js";
import { readResult, readResults } from "../report/read-result.js";
import { REPORT_FORM_NAMES, REPORT_FORMS, type ReportForm } from "../report/report-files.js";
import type { RunResult } from "../stats/run-result.js";
import type { CommandIo } from "./io.js";

const reportFlags = z.partialRecord(z.enum(REPORT_FORM_NAMES), z.boolean());

/** `fanout report`: a result that `fanout run --json FILE` wrote, in another form; with `--csv` several of them. */
export async function runReportCommand(files: readonly string[], rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const form = formOf(reportFlags.parse(rawFlags));
  io.stdout.write(form === "csv" ? await csvOf(files) : await oneOf(files, form, io));
  return ExitCode.Success;
}

/** A row for each result of each file. */
async function csvOf(files: readonly string[]): Promise<string> {
  const [first, ...rest] = (await Promise.all(files.map(readResults))).flat();
  if (!first) throw new UsageError("expected a file, found none");
  return resultsCsv([first, ...rest]);
}

async function oneOf(files: readonly string[], form: ReportForm, io: CommandIo): Promise<string> {
  const [file, ...more] = files;
  if (file === undefined || more.length > 0) {
    throw new UsageError(`expected one file, for only --csv takes several, found ${files.length}: ${files.join(", ")}`);
  }
  const result = await readResult(file);
  return REPORT_FORMS[form](form === "text" ? legible(result) : result, coloursFor(io.stdout));
}

function formOf(flags: z.output<typeof reportFlags>): ReportForm {
  const forms = REPORT_FORM_NAMES.filter((form) => flags[form]);
  if (forms.length > 1) {
    throw new UsageError(`expected one form, found ${forms.map((form) => `--${form}`).join(" and ")}`);
  }
  return forms[0] ?? "text";
}

/** The file may be anybody's: what it says is shown on a terminal, and does nothing there. */
function legible(result: RunResult): RunResult {
  return JSON.parse(JSON.stringify(result, cleanText));
}

function cleanText(_key: string, value: unknown): unknown {
  return typeof value === "string" ? oneLine(value) : value;
}
