import type { Command } from "commander";
import { CONNECTION_STRING, ORCHESTRATOR_OF_RUN, TASK_HUB, examples, repeatable, type CliContext } from "./options.js";

export function addTerminate(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("terminate")
    .summary("end the unfinished instances of a run")
    .description("Ends the unfinished instances of a run, and nothing else. Counts them and asks first.")
    .requiredOption("--run <run id>", "the run")
    .addOption(repeatable(...ORCHESTRATOR_OF_RUN))
    .option("--timeout <duration>", "wait up to this long until all have ended (default: 30s)")
    .option("--yes", "do not ask")
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText("after", examples(["fanout terminate --run rmwvaxyifz2wa", "fanout terminate --run nightly --yes"]))
    .action(async (flags: unknown) => {
      const { runTerminateCommand } = await import("../commands/terminate.js");
      exit(await runTerminateCommand(flags, io));
    });
}
