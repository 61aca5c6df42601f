import type { Command } from "commander";
import { examples, type CliContext } from "./options.js";

export function addReport(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("report")
    .summary("show results that `run --json FILE` wrote, also as Markdown, HTML, JUnit XML or CSV")
    .description(
      "Shows results that `fanout run --json FILE` wrote: one as it is, several with their mean, their spread, and each " +
        "of them. The exit code tells whether they could be read, not how the runs went.",
    )
    .argument("<file...>", "a result or a list as --repeat writes it, - for stdin; several are shown together")
    .option("--run <id>", "show the result of this run alone")
    .option("--text", "the summary that the run printed (the default)")
    .option("--markdown", "as Markdown, for the summary of a CI job")
    .option("--html", "as a page of its own, with charts, that needs no network")
    .option("--junit", "as JUnit XML, a suite for each result: what had to hold, with the figures as properties")
    .option("--csv", "as CSV: a header, and a row for each result")
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
