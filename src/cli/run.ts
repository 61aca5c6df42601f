import type { Command } from "commander";
import {
  ARRIVAL,
  CONNECTION_STRING,
  LABEL,
  MAX_OUTAGE,
  TASK_HUB,
  REPLAY,
  SEED,
  TRANSPORT,
  examples,
  repeatable,
  withDefault,
  workersOption,
  type CliContext,
} from "./options.js";
import { givenNames, planKeysOf } from "./plan-keys.js";
import { keepYoungGenerationSmall } from "./young-generation.js";

export function addRun(fanout: Command, { io, exit }: CliContext): Command {
  const run = fanout
    .command("run")
    .summary("run a load test: start orchestrations, wait for them, print the figures")
    .description(
      "Starts orchestrations, waits for them, and prints the figures. By default all start at once. --duration or " +
        "--total keep a fixed number in flight (closed load). --rate or --stages start them by a schedule (open load).",
    );
  run
    .optionsGroup("The plan as a file:")
    .option("--plan <file>", "read flags from this YAML or JSON file; a flag on the command line overrides the file")
    .option("--print-plan", "print the plan file of the flags given, and start nothing");
  addWork(run);
  addLoad(run);
  addSeveralGenerators(run);
  addWorkers(run);
  addCost(run);
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
        "fanout run --plan plan.yaml --rate 80/s",
        'fanout run --connection-string "Endpoint=http://localhost:8080;Authentication=None;TaskHub=default"',
      ]),
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      // Before there is much to load: the first modules would make it grow.
      keepYoungGenerationSmall();
      const { runRunCommand } = await import("../commands/run.js");
      exit(await runRunCommand({ flags, given: givenNames(run), keys: planKeysOf(run) }, io));
    });
  return run;
}

/** What `fanout run`, `fanout capacity` and `fanout soak` start. */
export function addWork(run: Command): void {
  run
    .optionsGroup("What an orchestration does:")
    .addOption(withDefault("--iterations <count>", "fan-outs in each orchestration, one after the other", "10"))
    .addOption(withDefault("--parallel-activities <count>", "activities in each fan-out", "5"))
    .option("--activity-duration <duration>", "the time that activities take: 50ms, uniform:10ms-90ms or exp:50ms")
    .option("--input-bytes <bytes>", "make each activity's input larger by this size, such as 64k or 1MB")
    .option("--output-bytes <bytes>", "make each activity's output larger by this size")
    .option("--failure-rate <share>", "the share of activity executions that fail, such as 1%")
    .option("--retries <count>", "how often to retry a failed activity")
    .option("--continue-as-new-every <count>", "begin a new history after this many iterations")
    .option("--sub-orchestrations <count>", "let this many sub-orchestrations share the activities of each fan-out")
    .option(
      "--timer <duration>",
      "wait between two iterations, by a durable timer: 100ms, uniform:10ms-90ms or exp:50ms",
    )
    .option("--orchestrator <name>", "start this orchestration instead of the fan-out; your own worker has to host it")
    .option("--input <json|@file>", "the input of --orchestrator; a file.jsonl or file.csv has one for each start")
    .option(
      "--input-order <cycle|random|once>",
      "take the inputs of the file again and again, by chance, or only once (default: cycle)",
    )
    .option("--instance-version <version>", "the version of each instance")
    .addOption(repeatable("--tag <key=value>", "a tag of each instance; repeatable"));
}

function addLoad(run: Command): void {
  run
    .optionsGroup("The load:")
    .option("--parallel-orchestrations <count>", "orchestrations to start at once, or to keep in flight (default: 1)")
    .option(
      "--duration <duration>",
      "keep starting orchestrations for this long: at --rate, or else with a fixed number in flight",
    )
    .option("--total <count>", "start this many in total, with --parallel-orchestrations in flight")
    .option("--rate <rate>", "start at this rate, such as 50/s or 90/m, independent of how many are in flight")
    .option("--stages <stages>", "start at these rates in turn, such as '10/s:30s,10/s->100/s:1m'")
    .option(...ARRIVAL)
    .option("--max-in-flight <count>", "hold back starts of open load beyond this many in flight (default: 10,000)")
    .option("--warmup <duration>", "run the load for this long before measuring; adds to the duration")
    .option(
      "--grace <duration>",
      "wait up to this long for the orchestrations in flight after the last start (default: 30s)",
    )
    .addOption(
      withDefault(
        "--timeout <duration>",
        "give up this long after the last start, if no duration ends the load",
        "10m",
      ),
    )
    .option(...SEED);
}

function addSeveralGenerators(run: Command): void {
  run
    .optionsGroup("One load from several generators:")
    .option("--generators <auto|count>", "make the load from this many processes of this machine (default: 1)")
    .option("--shard <k/n>", "make the part k of n of the load, with --run-id; `fanout merge` makes one result of all")
    .option("--start-at <time>", "let the load begin at this time, such as 2030-01-02T03:04:05Z")
    .option("--start-in <duration>", "let the load begin after this time, counted from the start of the command");
}

function addWorkers(run: Command): void {
  run
    .optionsGroup("Workers and transport:")
    .addOption(workersOption())
    .option(
      "--worker-timeout <duration>",
      "warn, then give up, after this long without a worker (default: warn after 10s, give up after 1m)",
    )
    .option(...MAX_OUTAGE)
    .option(...TRANSPORT)
    .option(...REPLAY);
}

function addCost(run: Command): void {
  run
    .optionsGroup("Cost and clean-up:")
    .option("--leave", "leave unfinished orchestrations running, also after Ctrl-C")
    .option("--purge", "delete the run's instances from the task hub after its results are written")
    .option("--dry-run", "print the plan and its cost, and start nothing")
    .option("--max-actions <count>", "refuse a run that costs more; needed above 100,000, except on the emulator")
    .option(
      "--capacity-units <1|2|3|consumption>",
      "print how long the run keeps this many units of a Dedicated scheduler busy, or a Consumption one",
    );
}

function addJudging(run: Command): void {
  run
    .optionsGroup("Pass or fail:")
    .addOption(repeatable("--threshold <expression>", "exit with 99 if this does not hold: 'p99<500ms'; repeatable"))
    .option("--abort-on-fail", "end the run as soon as a threshold can no longer be met")
    .option(
      "--trace-sample <share>",
      "break down the time of this share of the orchestrations; 0 for none (default: about 10 of them, at least 1%)",
    )
    .option("--allow-invalid", "do not exit with 96 if the load generator was not healthy")
    .option("--repeat <count>", "run the plan this many times, one after the other (default: 1)")
    .option("--baseline <file...>", "compare with earlier results, and exit with 98 if this run is slower");
}

function addResults(run: Command): void {
  run
    .optionsGroup("Where results go:")
    .option(
      "--json [file]",
      "write the result as JSON to the file, or to stdout without a file name; --repeat makes a list",
    )
    .option("--html <file>", "write a report for a browser; with --repeat also report-1.html, ...")
    .option("--markdown <file>", "write the summary as Markdown; with --repeat also report-1.md, ...")
    .option("--junit <file>", "write checks and thresholds as JUnit XML, one suite for each run")
    .option("--csv <file>", "write the figures as CSV, one row for each run")
    .option("--text <file>", "write the printed summary; with --repeat also report-1.txt, ...")
    .option("--quiet", "print only the summary and errors")
    .option("--run-id <id>", "the name of the run; the ids of its instances begin with it (default: a generated one)")
    .addOption(repeatable(...LABEL))
    .option("--live [port]", "show the run while it happens, on a page at 127.0.0.1 (default port: 9480; 0 takes any)")
    .option("--live-keep", "after the run, keep its report on the page of --live until Ctrl-C")
    .option("--otlp <url>", "send the run's metrics, and its traced orchestrations, to this OpenTelemetry collector")
    .option("--metrics-port <port>", "serve figures for Prometheus on 127.0.0.1 during the run; 0 takes any free port");
}
