import type { Command } from "commander";
import { CONNECTION_STRING, TASK_HUB, examples, type CliContext } from "./options.js";

export function addStatus(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("status")
    .summary("show the latest runs, a run, or instances")
    .description("Shows the latest runs on the task hub, one run with --run, or instances by their ids.")
    .argument("[id...]", "instances")
    .option("--run <run id>", "one run: its statuses, progress, throughput and failures")
    .option("--watch", "watch until all have ended; the exit code is 1 if any failed or was terminated")
    .option("--json", "print one JSON document; with --watch one line for each change")
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText(
      "after",
      examples([
        "fanout status",
        "fanout status --run rmwvaxyifz2wa --watch",
        "fanout status rmwvaxyifz2wa-00000-000 rmwvaxyifz2wa-00000-001 --json",
      ]),
    )
    .action(async (ids: readonly string[], flags: unknown) => {
      const { runStatusCommand } = await import("../commands/status.js");
      exit(await runStatusCommand(ids, flags, io));
    });
}
