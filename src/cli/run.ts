import type { Command } from "commander";
import { CONNECTION_STRING, TASK_HUB, examples, repeatable, withDefault, type CliContext } from "./options.js";

export function addRun(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("run")
    .summary("start orchestrations, wait for all, print what was measured")
    .description("Starts orchestrations all at once, waits for all of them, and prints what was measured.")
    .addOption(withDefault("--iterations <count>", "fan-outs in each orchestration, one after the other", "10"))
    .addOption(withDefault("--parallel-activities <count>", "activities in each fan-out", "5"))
    .addOption(withDefault("--parallel-orchestrations <count>", "orchestrations, started at once", "1"))
    .addOption(
      withDefault(
        "--workers <auto|count>",
        "worker processes of its own; auto starts some where the embedded emulator has none",
        "auto",
      ),
    )
    .addOption(withDefault("--timeout <duration>", "give up this long after the last start", "10m"))
    .option("--worker-timeout <duration>", "say so, or give up, after this long without a worker (default: 10s)")
    .option("--activity-duration <duration>", "how long activities take: 50ms, uniform:10ms-90ms or exp:50ms")
    .option("--seed <number>", "what durations are drawn from (default: 0)")
    .option("--input-bytes <count>", "bytes by which each activity's input is larger")
    .option("--output-bytes <count>", "bytes by which each activity's output is larger")
    .option("--failure-rate <share>", "share of activity executions that fail, such as 1%")
    .option("--retries <count>", "how often an activity that failed is tried again")
    .option("--continue-as-new-every <count>", "begin a new history after so many iterations")
    .option("--orchestrator <name>", "start this orchestration, which a worker of yours hosts, instead of the fan-out")
    .option("--input <json|@file>", "what it starts with")
    .addOption(
      repeatable("--threshold <expression>", "what it has to reach or else exits with 99: 'p99<500ms'; repeatable"),
    )
    .option("--json [file]", "write the result as JSON to the file, or to stdout without one")
    .option("--leave", "after Ctrl-C, leave unfinished orchestrations running")
    .option("--dry-run", "print the plan and what it costs, and start nothing")
    .option("--max-actions <count>", "refuse a run that costs more; needed above 100,000 but on the emulator")
    .option("--capacity-units <count>", "tell how long so many units of a Dedicated scheduler are busy with the run")
    .option("--purge", "delete the run's instances from the task hub once its results are written")
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText(
      "after",
      examples([
        "fanout run --iterations 10",
        "fanout run --parallel-orchestrations 1,000 --timeout 1m30s",
        "fanout run --json result.json",
        "fanout run --parallel-orchestrations 200 --threshold 'p90<2s' --threshold 'activities/s>1000'",
        'fanout run --connection-string "Endpoint=http://localhost:8080;Authentication=None;TaskHub=default"',
      ]),
    )
    .action(async (flags: unknown) => {
      const { runRunCommand } = await import("../commands/run.js");
      exit(await runRunCommand(flags, io));
    });
}
