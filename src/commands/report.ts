import { z } from "zod";
import { UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { styleFor } from "../report/text-style.js";
import { oneLine } from "../format/one-line.js";
import { readResults } from "../result/read-result.js";
import { REPORT_FORM_NAMES, REPORT_FORMS, type ReportFormName } from "../report/report-forms.js";
import type { RunResult } from "../result/run-result.js";
import type { CommandIo } from "./io.js";

const formFlags = z.partialRecord(z.enum(REPORT_FORM_NAMES), z.boolean());
const reportFlags = z.object({ run: z.string().optional() }).loose();
/** The number of names that a message lists. */
const MOST_LISTED = 20;

/**
 * `fanout report`: prints results of `fanout run --json FILE` in another form. Several results are shown as their
 * summary and each of them.
 */
export async function runReportCommand(files: readonly string[], rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const { run, ...forms } = reportFlags.parse(rawFlags);
  const form = formOf(formFlags.parse(forms));
  const [first, ...rest] = chosen((await Promise.all(files.map(readResults))).flat(), run);
  if (!first) throw new UsageError("missing-flag", "expected a file, found none");
  const results = [first, ...rest] as const;
  const shown = form === "text" ? legible(results) : results;
  io.stdout.write(await REPORT_FORMS[form].write(shown, styleFor(io.stdout)));
  return ExitCode.Success;
}

/** The results of the named run, or all. */
function chosen(results: readonly RunResult[], run: string | undefined): readonly RunResult[] {
  const named = run === undefined ? results : results.filter(({ runId }) => runId === run);
  if (named.length > 0 || results.length === 0) return named;
  const ids = results.slice(0, MOST_LISTED).map(({ runId }) => oneLine(runId));
  const more = results.length > ids.length ? ", ..." : "";
  throw new UsageError("invalid-value", `--run: expected one of ${ids.join(", ")}${more}, found ${run}`);
}

function formOf(flags: z.output<typeof formFlags>): ReportFormName {
  const forms = REPORT_FORM_NAMES.filter((form) => flags[form]);
  if (forms.length > 1) {
    throw new UsageError(
      "conflicting-flags",
      `expected one form, found ${forms.map((form) => `--${form}`).join(" and ")}`,
    );
  }

  return forms[0] ?? "text";
}

/** The file may come from anybody, so its text is cleaned before a terminal shows it. */
function legible<T>(results: T): T {
  return JSON.parse(JSON.stringify(results, cleanText));
}

function cleanText(_key: string, value: unknown): unknown {
  return typeof value === "string" ? oneLine(value) : value;
}
