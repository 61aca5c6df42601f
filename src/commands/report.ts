import { z } from "zod";
import { UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { coloursFor } from "../report/colours.js";
import { oneLine } from "../format/one-line.js";
import { readResults } from "../report/read-result.js";
import { REPORT_FORM_NAMES, REPORT_FORMS, type ReportFormName } from "../report/report-forms.js";
import type { CommandIo } from "./io.js";

const reportFlags = z.partialRecord(z.enum(REPORT_FORM_NAMES), z.boolean());

/**
 * `fanout report`: results that `fanout run --json FILE` wrote, in another form. Several, of a list or of several files,
 * are shown as what they come to, and each of them.
 */
export async function runReportCommand(files: readonly string[], rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const form = formOf(reportFlags.parse(rawFlags));
  const [first, ...rest] = (await Promise.all(files.map(readResults))).flat();
  if (!first) throw new UsageError("expected a file, found none");
  const results = [first, ...rest] as const;
  const shown = form === "text" ? legible(results) : results;
  io.stdout.write(await REPORT_FORMS[form].write(shown, coloursFor(io.stdout)));
  return ExitCode.Success;
}

function formOf(flags: z.output<typeof reportFlags>): ReportFormName {
  const forms = REPORT_FORM_NAMES.filter((form) => flags[form]);
  if (forms.length > 1) {
    throw new UsageError(`expected one form, found ${forms.map((form) => `--${form}`).join(" and ")}`);
  }
  return forms[0] ?? "text";
}

/** The file may be anybody's: what it says is shown on a terminal, and does nothing there. */
function legible<T>(results: T): T {
  return JSON.parse(JSON.stringify(results, cleanText));
}

function cleanText(_key: string, value: unknown): unknown {
  return typeof value === "string" ? oneLine(value) : value;
}
