import type { Command } from "commander";
import { examples, repeatable, type CliContext } from "./options.js";

export function addMerge(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("merge")
    .summary("make one result of the results of all shards of a run")
    .description(
      "Makes one result of those that `fanout run --shard K/N --json FILE` wrote, one file for each shard. Histograms merge " +
        "and counts add up. The exit code is that of the whole run.",
    )
    .argument("<file...>", "the results of all shards, in any order")
    .option("--json [file]", "write the result as JSON to the file, or to stdout without a file name")
    .option("--html <file>", "write a report for a browser")
    .option("--markdown <file>", "write the summary as Markdown")
    .option("--junit <file>", "write checks and thresholds as JUnit XML")
    .option("--csv <file>", "write the figures as CSV")
    .option("--text <file>", "write the printed summary")
    .addOption(repeatable("--threshold <expression>", "exit with 99 if this does not hold: 'p99<500ms'; repeatable"))
    .option("--allow-invalid", "do not exit with 96 if a load generator was not healthy")
    .addHelpText(
      "after",
      examples([
        "fanout merge 1.json 2.json --json result.json",
        "fanout merge shards/*.json --threshold 'p99<500ms' --html report.html",
      ]),
    )
    .action(async (files: readonly string[], flags: unknown) => {
      const { runMergeCommand } = await import("../commands/merge.js");
      exit(await runMergeCommand(files, flags, io));
    });
}
