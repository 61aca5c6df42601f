import type { Command } from "commander";
import { examples, type CliContext } from "./options.js";

export function addReport(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("report")
    .summary("show results that `run --json FILE` wrote: as text, Markdown, HTML, JUnit XML or CSV")
    .description(
      "Shows results that `fanout run --json FILE` wrote. Several results are shown with their mean and spread. " +
        "The exit code says whether the files could be read, not how the runs went.",
    )
    .argument("<file...>", "a result, or a list that --repeat wrote; - reads stdin; several files are shown together")
    .option("--run <id>", "show only the result of this run")
    .option("--text", "the summary that the run printed (the default)")
    .option("--markdown", "as Markdown, for the summary of a CI job")
    .option("--html", "as one page with charts, which needs no network")
    .option("--junit", "as JUnit XML, one suite for each result: checks and thresholds, with the figures as properties")
    .option("--csv", "as CSV: a header, and one row for each result")
    .addHelpText(
      "after",
      examples([
        "fanout report result.json",
        "fanout report result.json --html > report.html",
        "fanout report repeats.json --run nightly.2 --html > report.html",
        "fanout report result.json --junit > junit.xml",
        "fanout report monday.json tuesday.json --csv > runs.csv",
        "fanout run --json | fanout report - --markdown",
      ]),
    )
    .action(async (files: readonly string[], flags: unknown) => {
      const { runReportCommand } = await import("../commands/report.js");
      exit(await runReportCommand(files, flags, io));
    });
}
