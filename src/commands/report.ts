import { z } from "zod";
import { UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { coloursFor } from "../report/colours.js";
import { resultsCsv } from "../report/csv.js";
import { resultJunit } from "../report/junit.js";
import { resultMarkdown } from "../report/markdown.js";
import type { OutputStream } from "../report/output-stream.js";
import { readResult } from "../report/read-result.js";
import { oneLine } from "../report/one-line.js";
import { summaryText } from "../report/text.js";
import type { RunResult } from "../stats/run-result.js";
import type { CommandIo } from "./io.js";

const reportFlags = z.object({
  text: z.boolean().default(false),
  markdown: z.boolean().default(false),
  junit: z.boolean().default(false),
  csv: z.boolean().default(false),
});

type Form = keyof z.output<typeof reportFlags>;

/** `fanout report`: a result that `fanout run --json FILE` wrote, in another form; with `--csv` several of them. */
export async function runReportCommand(files: readonly string[], rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const form = formOf(reportFlags.parse(rawFlags));
  const [file, ...more] = files;
  if (file === undefined || (more.length > 0 && form !== "csv")) {
    throw new UsageError(`expected one file, for only --csv takes several, found ${files.length}: ${files.join(", ")}`);
  }
  const first = await readResult(file);
  if (form === "csv") io.stdout.write(resultsCsv([first, ...(await Promise.all(more.map(readResult)))]));
  else io.stdout.write(renderings[form](first, io.stdout));
  return ExitCode.Success;
}

const renderings = {
  text: (result: RunResult, stream: OutputStream) => `${summaryText(legible(result), coloursFor(stream))}\n`,
  markdown: resultMarkdown,
  junit: resultJunit,
};

function formOf(flags: z.output<typeof reportFlags>): Form {
  const forms = (["text", "markdown", "junit", "csv"] as const).filter((form) => flags[form]);
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
