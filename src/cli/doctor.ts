import type { Command } from "commander";
import { CONNECTION_STRING, TASK_HUB, examples, type CliContext } from "./options.js";

export function addDoctor(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("doctor")
    .summary("check what a run needs, and say what to do")
    .description(
      "Checks each thing that a run needs, from the connection string to the task hub. Says what to do about a fault.",
    )
    .option("--json", "print JSON")
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText(
      "after",
      examples([
        "fanout doctor",
        "fanout doctor --json",
        'fanout doctor --connection-string "Endpoint=https://host.durabletask.io;Authentication=AzureCli;TaskHub=hub"',
      ]),
    )
    .action(async (flags: { json?: boolean; connectionString?: string; taskHub?: string }) => {
      const { runDoctorCommand } = await import("../commands/doctor.js");
      exit(await runDoctorCommand(flags, io));
    });
}
