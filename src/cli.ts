import { Command, CommanderError, Option } from "commander";
import type { CommandIo } from "./commands/io.js";
import type { ServeFlags } from "./commands/serve.js";
import { FanoutError } from "./errors.js";
import { ExitCode } from "./exit-codes.js";
import { errorText } from "./format/error-text.js";
import { FANOUT_VERSION } from "./version.js";

const io: CommandIo = { stdout: process.stdout, stderr: process.stderr };
const CONNECTION_STRING = ["--connection-string <string>", "the backend (default: the embedded emulator)"] as const;
const TASK_HUB = ["--task-hub <name>", "the task hub (default: that of the connection string)"] as const;

/** Set by the command that runs: commander's own promise carries no value. */
let exitCode: ExitCode = ExitCode.Success;

function program(): Command {
  const fanout = new Command("fanout")
    .description("Load test for Durable Task backends: fan-out/fan-in orchestrations, measured honestly.")
    .version(FANOUT_VERSION, "-V, --version", "print the version")
    .option("--debug", "print the stack of an error")
    .option("--no-color", "print without colours (NO_COLOR does the same)")
    .helpOption("-h, --help", "print this help")
    .exitOverride()
    .addHelpText(
      "after",
      examples(["fanout run", "fanout run --iterations 100 --parallel-activities 100", "fanout worker"]),
    );
  addRun(fanout);
  addWorker(fanout);
  addServe(fanout);
  addDoctor(fanout);
  addStatus(fanout);
  addPurge(fanout);
  addReport(fanout);
  addEmulator(fanout);
  return fanout;
}

function addRun(fanout: Command): void {
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
      const { runRunCommand } = await import("./commands/run.js");
      exitCode = await runRunCommand(flags, io);
    });
}

function addWorker(fanout: Command): void {
  fanout
    .command("worker")
    .summary("execute orchestrations and activities until stopped")
    .description("Executes orchestrations and activities until Ctrl-C or SIGTERM, then finishes what it holds.")
    .addOption(withDefault("--port <port>", "where /status and /health answer on 127.0.0.1", "5001"))
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText("after", examples(["fanout worker", "fanout worker --port 5002"]))
    .action(async (flags: { port: string; connectionString?: string; taskHub?: string }) => {
      const { runWorkerCommand } = await import("./commands/worker.js");
      exitCode = await runWorkerCommand(flags, io);
    });
}

function addServe(fanout: Command): void {
  fanout
    .command("serve")
    .summary("start orchestrations and read their status over HTTP")
    .description(
      "Serves the orchestration API over HTTP until Ctrl-C or SIGTERM, then finishes the requests under way. " +
        "Its page is at /docs.",
    )
    .addOption(withDefault("--port <port>", "where it listens; 0 takes any free port", "5000"))
    .addOption(withDefault("--host <host>", "the name or the address that it listens on", "127.0.0.1"))
    .option("--api-key <key>", "ask for this key; others see it in the list of processes: FANOUT_API_KEY is better")
    .option("--insecure", "let other machines in without a key")
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText("after", examples(["fanout serve", "FANOUT_API_KEY=... fanout serve --host 0.0.0.0"]))
    .action(async (flags: ServeFlags) => {
      const { runServeCommand } = await import("./commands/serve.js");
      exitCode = await runServeCommand(flags, io);
    });
}

function addDoctor(fanout: Command): void {
  fanout
    .command("doctor")
    .summary("look at what a run needs: ok, or what to do")
    .description("Looks at all that a run needs, from the connection string to the task hub: ok, or what to do.")
    .option("--json", "print it as JSON")
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
      const { runDoctorCommand } = await import("./commands/doctor.js");
      exitCode = await runDoctorCommand(flags, io);
    });
}

function addStatus(fanout: Command): void {
  fanout
    .command("status")
    .summary("tell how instances, a run, or the latest runs are")
    .description("Tells of instances by their ids, of a run, or, without either, of the latest runs on the task hub.")
    .argument("[id...]", "instances")
    .option("--run <run id>", "all instances of a run: by status, how far, how fast, what failed")
    .option("--watch", "go on until all have ended; the exit code is 1 if any failed or was terminated")
    .option("--json", "print one JSON document, with --watch one line for each change")
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText(
      "after",
      examples([
        "fanout status",
        "fanout status --run rmwvaxyifz2wa --watch",
        "fanout status rmwvaxyifz2wa-00000 rmwvaxyifz2wa-00001 --json",
      ]),
    )
    .action(async (ids: readonly string[], flags: unknown) => {
      const { runStatusCommand } = await import("./commands/status.js");
      exitCode = await runStatusCommand(ids, flags, io);
    });
}

function addPurge(fanout: Command): void {
  fanout
    .command("purge")
    .summary("delete ended instances of load tests from the task hub")
    .description("Deletes ended instances of load tests from the task hub. Counts them first, and asks.")
    .option("--run <run id>", "the instances of this run")
    .option("--older-than <age>", "the instances of all load tests that were created so long ago, such as 7d")
    .option("--yes", "do not ask")
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText("after", examples(["fanout purge --run rmwvaxyifz2wa", "fanout purge --older-than 7d --yes"]))
    .action(async (flags: unknown) => {
      const { runPurgeCommand } = await import("./commands/purge.js");
      exitCode = await runPurgeCommand(flags, io);
    });
}

function addReport(fanout: Command): void {
  fanout
    .command("report")
    .summary("show a result that `run --json FILE` wrote, also as Markdown, JUnit XML or CSV")
    .description(
      "Shows a result that `fanout run --json FILE` wrote. The exit code tells whether it could be read, not how the run went.",
    )
    .argument("<file...>", "the result, - for stdin; with --csv several, a row for each")
    .option("--text", "the summary that the run printed (the default)")
    .option("--markdown", "as Markdown, for the summary of a CI job")
    .option("--junit", "as JUnit XML: what had to hold, with the figures as properties")
    .option("--csv", "as CSV: a header, and a row for each file")
    .addHelpText(
      "after",
      examples([
        "fanout report result.json",
        "fanout report result.json --junit > junit.xml",
        "fanout report monday.json tuesday.json --csv > runs.csv",
        "fanout run --json | fanout report - --markdown",
      ]),
    )
    .action(async (files: readonly string[], flags: unknown) => {
      const { runReportCommand } = await import("./commands/report.js");
      exitCode = await runReportCommand(files, flags, io);
    });
}

const emulatorCommands = () => import("./commands/emulator.js");

function addEmulator(fanout: Command): void {
  const emulator = fanout
    .command("emulator")
    .summary("the embedded backend: run it in the foreground, or manage the shared one")
    .description(
      "Runs the embedded backend in the foreground until Ctrl-C. Other commands start a shared one by themselves.",
    )
    .usage("[options] [command]")
    .option("--port <port>", "listen on this loopback TCP port as well, for other SDKs")
    .addHelpText(
      "after",
      examples(["fanout emulator --port 8080", "fanout emulator status --json", "fanout emulator reset --yes"]),
    )
    .action(async (flags: { port?: string }) => {
      refuseUnknownSubcommand(emulator);
      exitCode = await (await emulatorCommands()).runEmulatorCommand(flags, io);
    });
  addEmulatorSubcommands(emulator);
  // Last, for subcommands made later would take it over: `refuseUnknownSubcommand` has the better words for it.
  emulator.allowExcessArguments();
}

function addEmulatorSubcommands(emulator: Command): void {
  emulator
    .command("status")
    .description("Prints what the shared emulator is doing.")
    .option("--json", "print it as JSON")
    .addHelpText("after", examples(["fanout emulator status", "fanout emulator status --json"]))
    .action(async (flags: { json?: boolean }) => {
      exitCode = await (await emulatorCommands()).emulatorStatusCommand({ json: flags.json ?? false }, io);
    });
  emulator
    .command("stop")
    .description("Stops the shared emulator. Its state stays on disk.")
    .addHelpText("after", examples(["fanout emulator stop"]))
    .action(async () => {
      exitCode = await (await emulatorCommands()).emulatorStopCommand(io);
    });
  emulator
    .command("reset")
    .description("Stops the shared emulator and deletes its state.")
    .option("--yes", "do not ask")
    .addHelpText("after", examples(["fanout emulator reset", "fanout emulator reset --yes"]))
    .action(async (flags: { yes?: boolean }) => {
      exitCode = await (await emulatorCommands()).emulatorResetCommand({ yes: flags.yes ?? false }, io);
    });
}

/**
 * commander suggests the nearest subcommand only for a command that has no action of its own, which `emulator` has:
 * a twin without one says it.
 */
function refuseUnknownSubcommand(command: Command): void {
  if (command.args.length === 0) return;
  const twin = new Command(command.name()).exitOverride().helpOption(false).helpCommand(false);
  for (const subcommand of command.commands) twin.command(subcommand.name());
  twin.parse([...command.args], { from: "user" });
}

/** Like `option`, whose help would put the default in quotes. */
function withDefault(flags: string, description: string, value: string): Option {
  return new Option(flags, description).default(value, value);
}

/** May be given more than once: its value is a list, and absent where it was not given. */
function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}

/** Prints an error for a person and returns the exit code it stands for. */
function report(error: unknown, debug: boolean): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Success : ExitCode.Usage;
  const stack = debug && error instanceof Error ? `${error.stack ?? ""}\n` : "";
  if (error instanceof FanoutError) {
    io.stderr.write(`error: ${error.message}\n${stack}`);
    return error.exitCode;
  }
  const message = errorText(error);
  const hint = debug ? "" : " (run it again with --debug to see the stack)";
  io.stderr.write(`error: internal error: ${message}${hint}\n${stack}`);
  return ExitCode.Failure;
}

/** `fanout ... | head` closes the pipe early: that is the reader's choice and no error of ours. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}

/** Resolves once everything written so far has left the process, or never will. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

async function main(argv: readonly string[]): Promise<void> {
  ignoreClosedPipes();
  // Node, chalk and commander each rank the two variables in their own way; here NO_COLOR wins everywhere.
  if (argv.includes("--no-color")) process.env["NO_COLOR"] = "1";
  if (process.env["NO_COLOR"]) delete process.env["FORCE_COLOR"];
  const debug = argv.includes("--debug");
  process.once("uncaughtException", (error) => process.exit(report(error, debug)));
  const fanout = program();
  try {
    if (argv.length === 0) fanout.help({ error: true });
    await fanout.parseAsync([...argv], { from: "user" });
  } catch (error) {
    exitCode = report(error, debug);
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exitCode);
}

await main(process.argv.slice(2));
