import { Command, Option } from "commander";
import type { EmulatorFlags } from "../commands/emulator-flags.js";
import { examples, withDefault, type CliContext } from "./options.js";

const emulatorCommands = () => import("../commands/emulator.js");

export function addEmulator(fanout: Command, context: CliContext): void {
  const emulator = fanout
    .command("emulator")
    .summary("the embedded backend: run it in the foreground, or manage the shared one")
    .description(
      "Runs the embedded backend in the foreground until Ctrl-C. Other commands start a shared one by themselves.",
    )
    .usage("[options] [command]")
    .option("--port <port>", "listen on this TCP port of 127.0.0.1 as well, for other SDKs")
    .option("--host <address>", "the address that --port is of; whoever reaches another one needs no credential")
    .addOption(withDefault("--task-hubs <names>", "the task hubs that there are, with commas between them", "default"))
    .option(
      "--durability <disk|process|ephemeral>",
      "what an acknowledged call survives: process and power, the process alone, or neither " +
        "(default: FANOUT_DURABILITY, which the shared one goes by as well, else disk)",
    )
    .addOption(
      new Option("--ephemeral", "keep everything in memory only, as --durability ephemeral does").conflicts(
        "durability",
      ),
    )
    .option(
      "--retention <age,size>",
      "delete what ended so long ago, and, down to that size, the oldest that ended more than an hour ago; " +
        "or none (default: FANOUT_RETENTION, which the shared one goes by as well, else 7d,4GB)",
    )
    .option(
      "--limits <scheduler|none>",
      "refuse payloads and instance ids that a Scheduler would refuse, or take them and warn once " +
        "(default: scheduler with --port, else none)",
    )
    .addHelpText(
      "after",
      examples([
        "fanout emulator --port 8080 --task-hubs default,orders",
        "fanout emulator --ephemeral",
        "fanout emulator --retention 1d,500MB",
        "fanout emulator status --json",
        "fanout emulator reset --yes",
      ]),
    )
    .action(async (flags: EmulatorFlags) => {
      refuseUnknownSubcommand(emulator);
      context.exit(await (await emulatorCommands()).runEmulatorCommand(flags, context.io));
    });
  addEmulatorSubcommands(emulator, context);
  // Last, for subcommands made later would take it over: `refuseUnknownSubcommand` has the better words for it.
  emulator.allowExcessArguments();
}

function addEmulatorSubcommands(emulator: Command, { io, exit }: CliContext): void {
  emulator
    .command("status")
    .description("Prints what the shared emulator is doing.")
    .option("--json", "print it as JSON")
    .addHelpText("after", examples(["fanout emulator status", "fanout emulator status --json"]))
    .action(async (flags: { json?: boolean }) => {
      exit(await (await emulatorCommands()).emulatorStatusCommand({ json: flags.json ?? false }, io));
    });
  emulator
    .command("stop")
    .description("Stops the shared emulator. Its state stays on disk.")
    .addHelpText("after", examples(["fanout emulator stop"]))
    .action(async () => {
      exit(await (await emulatorCommands()).emulatorStopCommand(io));
    });
  emulator
    .command("reset")
    .description("Stops the shared emulator and deletes its state.")
    .option("--yes", "do not ask")
    .addHelpText("after", examples(["fanout emulator reset", "fanout emulator reset --yes"]))
    .action(async (flags: { yes?: boolean }) => {
      exit(await (await emulatorCommands()).emulatorResetCommand({ yes: flags.yes ?? false }, io));
    });
}

/**
 * commander suggests the nearest subcommand only for a command that has no action of its own, which `emulator` has:
 * a twin without one says it.
 */
function refuseUnknownSubcommand(command: Command): void {
  if (command.args.length === 0) return;
  const twin = new Command(command.name()).exitOverride().helpOption(false).helpCommand(false);
  twin.configureOutput(command.configureOutput());
  for (const subcommand of command.commands) twin.command(subcommand.name());
  twin.parse([...command.args], { from: "user" });
}
