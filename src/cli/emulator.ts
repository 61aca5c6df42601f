import { Command, Option } from "commander";
import type { EmulatorFlags } from "../commands/emulator-flags.js";
import { examples, withDefault, type CliContext } from "./options.js";

const sharedEmulator = () => import("../commands/shared-emulator.js");

export function addEmulator(fanout: Command, context: CliContext): void {
  const emulator = fanout
    .command("emulator")
    .summary("run the embedded backend in the foreground, or manage the shared one")
    .description(
      "Runs the embedded backend in the foreground until Ctrl-C. Other commands start a shared one when they need it.",
    )
    .usage("[options] [command]")
    .option("--port <port>", "also listen on this TCP port of 127.0.0.1, for other SDKs")
    .option(
      "--host <address>",
      "listen on this address with --port; everyone who reaches it gets in without a credential",
    )
    .addOption(withDefault("--task-hubs <names>", "the task hubs to serve, separated by commas", "default"))
    .option(
      "--durability <disk|process|ephemeral>",
      "acknowledged calls survive a crash and a power failure, only a crash, or neither " +
        "(default: FANOUT_DURABILITY, which the shared emulator also reads, else disk)",
    )
    .addOption(
      new Option("--ephemeral", "keep everything in memory, same as --durability ephemeral").conflicts("durability"),
    )
    .option(
      "--retention <age,size>",
      "delete instances that ended longer ago than this; beyond this size, delete the oldest that ended over an hour " +
        "ago; none keeps all (default: FANOUT_RETENTION, which the shared emulator also reads, else 7d,4GB, and 1d for " +
        "the instances of load tests)",
    )
    .option(
      "--limits <scheduler|none>",
      "refuse payloads and instance ids that a Scheduler would refuse, or accept them and warn once " +
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
      const { runEmulatorCommand } = await import("../commands/emulator.js");
      context.exit(await runEmulatorCommand(flags, context.io));
    });
  addEmulatorSubcommands(emulator, context);
  // Last, because later subcommands would inherit it. `refuseUnknownSubcommand` gives the better error.
  emulator.allowExcessArguments();
}

function addEmulatorSubcommands(emulator: Command, { io, exit }: CliContext): void {
  emulator
    .command("status")
    .description("Prints the state of the shared emulator.")
    .option("--json", "print JSON")
    .addHelpText("after", examples(["fanout emulator status", "fanout emulator status --json"]))
    .action(async (flags: { json?: boolean }) => {
      exit(await (await sharedEmulator()).emulatorStatusCommand({ json: flags.json ?? false }, io));
    });
  emulator
    .command("stop")
    .description("Stops the shared emulator. Its state stays on disk.")
    .addHelpText("after", examples(["fanout emulator stop"]))
    .action(async () => {
      exit(await (await sharedEmulator()).emulatorStopCommand(io));
    });
  emulator
    .command("reset")
    .description("Stops the shared emulator and deletes its state.")
    .option("--yes", "do not ask")
    .addHelpText("after", examples(["fanout emulator reset", "fanout emulator reset --yes"]))
    .action(async (flags: { yes?: boolean }) => {
      exit(await (await sharedEmulator()).emulatorResetCommand({ yes: flags.yes ?? false }, io));
    });
}

/**
 * commander suggests the nearest subcommand only for a command without an action. `emulator` has one, so a twin without
 * an action makes the suggestion.
 */
function refuseUnknownSubcommand(command: Command): void {
  if (command.args.length === 0) return;
  const twin = new Command(command.name()).exitOverride().helpOption(false).helpCommand(false);
  twin.configureOutput(command.configureOutput());
  for (const subcommand of command.commands) twin.command(subcommand.name());
  twin.parse([...command.args], { from: "user" });
}
