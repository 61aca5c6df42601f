import type { Command } from "commander";
import {
  CONNECTION_STRING,
  TASK_HUB,
  REPLAY,
  TRANSPORT,
  examples,
  repeatable,
  withDefault,
  type CliContext,
} from "./options.js";
import { keepYoungGenerationSmall } from "./young-generation.js";

export function addRun(fanout: Command, { io, exit }: CliContext): void {
  const run = fanout
    .command("run")
    .summary("start orchestrations, wait for them, print what was measured")
    .description(
      "Starts orchestrations, waits for them, and prints what was measured. All start at once, unless there is a " +
        "--duration or a --total, which keep so many in flight (closed load), or a --rate or --stages, which start " +
        "by a schedule (open load).",
    );
  addWork(run);
  addLoad(run);
  addJudging(run);
  addResults(run);
  run
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText(
      "after",
      examples([
        "fanout run --iterations 10",
        "fanout run --parallel-orchestrations 1,000 --timeout 1m30s",
        "fanout run --parallel-orchestrations 20 --duration 1m --warmup 10s",
        "fanout run --rate 50/s --duration 1m --threshold 'p99<500ms' --html report.html",
        "fanout run --stages '10/s:30s,10/s->100/s:1m' --json result.json",
        'fanout run --connection-string "Endpoint=http://localhost:8080;Authentication=None;TaskHub=default"',
      ]),
    )
    .action(async (flags: unknown) => {
      // Before there is much to load: the first modules would make it grow.
      keepYoungGenerationSmall();
      const { runRunCommand } = await import("../commands/run.js");
      exit(await runRunCommand(flags, io));
    });
}

function addWork(run: Command): void {
  run
    .optionsGroup("What an orchestration does:")
    .addOption(withDefault("--iterations <count>", "fan-outs in each orchestration, one after the other", "10"))
    .addOption(withDefault("--parallel-activities <count>", "activities in each fan-out", "5"))
    .option("--activity-duration <duration>", "how long activities take: 50ms, uniform:10ms-90ms or exp:50ms")
    .option("--input-bytes <bytes>", "by how much each activity's input is larger, such as 64k or 1MB")
    .option("--output-bytes <bytes>", "by how much each activity's output is larger")
    .option("--failure-rate <share>", "share of activity executions that fail, such as 1%")
    .option("--retries <count>", "how often an activity that failed is tried again")
    .option("--continue-as-new-every <count>", "begin a new history after so many iterations")
    .option("--orchestrator <name>", "start this orchestration, which a worker of yours hosts, instead of the fan-out")
    .option("--input <json|@file>", "what it starts with");
}

function addLoad(run: Command): void {
  run
    .optionsGroup("When they start:")
    .option("--parallel-orchestrations <count>", "orchestrations started at once, or kept in flight (default: 1)")
    .option("--duration <duration>", "go on for so long: with --rate by that, else with so many in flight")
    .option("--total <count>", "start so many in all, keeping --parallel-orchestrations in flight")
    .option("--rate <rate>", "start by a schedule, such as 50/s or 90/m, whatever is in flight")
    .option("--stages <stages>", "start by schedules in turn, such as '10/s:30s,10/s->100/s:1m'")
    .option("--arrival <kind>", "of a schedule: constant, or poisson for random arrivals (default: constant)")
    .option("--max-in-flight <count>", "hold starts of a schedule back beyond so many in flight (default: 10,000)")
    .option("--warmup <duration>", "run for so long before measuring; comes on top of the duration")
    .option("--grace <duration>", "wait so long for what is in flight when the last start was due (default: 30s)")
    .addOption(
      withDefault("--timeout <duration>", "where no time ends the starts: give up so long after the last one", "10m"),
    )
    .option("--seed <number>", "what arrivals and durations are drawn from (default: 0)")
    .addOption(
      withDefault(
        "--workers <auto|count>",
        "worker processes of its own; auto starts some where the embedded emulator has none",
        "auto",
      ),
    )
    .option("--worker-timeout <duration>", "say so, or give up, after this long without a worker (default: 10s)")
    .option(...TRANSPORT)
    .option(...REPLAY)
    .option("--leave", "leave unfinished orchestrations running, after Ctrl-C too")
    .option("--purge", "delete the run's instances from the task hub once its results are written")
    .option("--dry-run", "print the plan and what it costs, and start nothing")
    .option("--max-actions <count>", "refuse a run that costs more; needed above 100,000 but on the emulator")
    .option(
      "--capacity-units <1|2|3|consumption>",
      "tell how long so many units of a Dedicated scheduler, or a Consumption one, are busy with the run",
    );
}

function addJudging(run: Command): void {
  run
    .optionsGroup("What it has to reach:")
    .addOption(
      repeatable("--threshold <expression>", "what it has to reach or else exits with 99: 'p99<500ms'; repeatable"),
    )
    .option("--abort-on-fail", "end the run as soon as a threshold is missed for good")
    .option("--allow-invalid", "do not exit with 96 where the generator was not healthy enough to be believed")
    .option("--repeat <count>", "run the plan so many times, one after the other (default: 1)")
    .option("--baseline <file...>", "compare with results of before, and exit with 98 if it is slower");
}

function addResults(run: Command): void {
  run
    .optionsGroup("Where results go:")
    .option("--json [file]", "write the result as JSON to the file, or to stdout without one; of repeats a list")
    .option("--html <file>", "write a report to look at in a browser; with --repeat also report-1.html, ...")
    .option("--markdown <file>", "write the summary as Markdown; with --repeat also report-1.md, ...")
    .option("--junit <file>", "write what had to hold as JUnit XML, a suite for each run")
    .option("--csv <file>", "write the figures as CSV, a row for each run")
    .option("--text <file>", "write the summary that is printed; with --repeat also report-1.txt, ...")
    .option("--quiet", "print the summary and errors, and nothing else")
    .option("--run-id <id>", "what the run is called, and its instances' ids begin with (default: one of its own)")
    .addOption(repeatable("--label <key=value>", "what to find the result by; repeatable"))
    .option("--metrics-port <port>", "serve figures for Prometheus on 127.0.0.1 while it runs; 0 takes any free port");
}
