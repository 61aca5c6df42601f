import type { Command } from "commander";
import { examples, repeatable, withDefault, type CliContext } from "./options.js";

export function addCompare(fanout: Command, { io, argv, exit }: CliContext): void {
  fanout
    .command("compare")
    .summary("compare runs: measure two sides in turn, or read results that `run --json FILE` wrote")
    .description(
      "Compares results that `fanout run --json FILE` wrote: one file for each side, or several with -- between the sides. " +
        "With --run it measures the sides itself, in turn (A B B A), so that other work on the machine affects both. " +
        "Exits with 98 if throughput, p50 or p99 is slower by more than noise and the noise threshold explain.",
    )
    .usage(
      "[options] <base...> -- <new...>\n       fanout compare [options] --run <base> --run <new> [-- <flags of both>]",
    )
    .argument(
      "[file...]",
      "the base results, --, the new results; two files need no --. With --run: --, flags for every side",
    )
    .optionsGroup("What is measured:")
    .addOption(
      repeatable(
        "--run <flags>",
        "a side: flags of `fanout run`, or a command with `run`; the first side is the base; repeatable",
      ),
    )
    .addOption(repeatable("--name <name>", "the name of a side, in the order of --run; repeatable"))
    .option("--repeat <count>", "runs of each side (default: 5)")
    .optionsGroup("How it is judged:")
    .addOption(withDefault("--noise-threshold <share>", "ignore changes up to this share", "5%"))
    .option("--allow-invalid", "also use runs whose load generator was not healthy, instead of dropping them")
    .optionsGroup("Where the comparison goes:")
    .option("--json [file]", "write JSON to the file, or to stdout without a file name; put it after the files")
    .option("--html <file>", "write a page for a browser")
    .option("--markdown <file>", "write Markdown")
    .option("--junit <file>", "write JUnit XML: a slower figure is a failure")
    .addHelpText(
      "after",
      examples([
        "fanout run --repeat 5 --json base.json",
        "fanout compare base.json new.json",
        "fanout compare --run '--transport grpc-js' --run '--transport http2' -- --rate 50/s --duration 30s",
        "fanout compare --run 'npx fanout@1.2 run' --run '' --json ab.json -- --iterations 20",
        "fanout compare --run 'DURABLE_TASK_CONNECTION_STRING=$EAST' --run 'DURABLE_TASK_CONNECTION_STRING=$WEST'",
        "fanout compare ab.json --noise-threshold 10%",
        "fanout compare monday/*.json -- tuesday/*.json",
        "fanout compare base.json new.json --junit compare.xml --html compare.html",
      ]),
    )
    .action(async (files: readonly string[], flags: unknown) => {
      const { runCompareCommand } = await import("../commands/compare.js");
      exit(await runCompareCommand({ files, afterDashes: countAfterDashes(argv) }, flags, io));
    });
}

/** commander drops `--` and keeps the words after it as arguments: this is their number. */
function countAfterDashes(argv: readonly string[]): number | undefined {
  const dashes = argv.indexOf("--");
  return dashes < 0 ? undefined : argv.length - dashes - 1;
}
