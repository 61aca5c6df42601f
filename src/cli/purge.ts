import type { Command } from "commander";
import { CONNECTION_STRING, ORCHESTRATOR_OF_RUN, TASK_HUB, examples, repeatable, type CliContext } from "./options.js";

export function addPurge(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("purge")
    .summary("delete ended instances of load tests from the task hub")
    .description("Deletes ended instances of load tests from the task hub. Counts them and asks first.")
    .option("--run <run id>", "the instances of this run")
    .option("--older-than <age>", "the instances of all load tests that were created before this age, such as 7d")
    .option("--terminate", "terminate unfinished instances first, and delete them too")
    .addOption(repeatable(...ORCHESTRATOR_OF_RUN))
    .option("--yes", "do not ask")
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText("after", examples(["fanout purge --run rmwvaxyifz2wa", "fanout purge --older-than 7d --yes"]))
    .action(async (flags: unknown) => {
      const { runPurgeCommand } = await import("../commands/purge.js");
      exit(await runPurgeCommand(flags, io));
    });
}
