import { Command, CommanderError } from "commander";
import { addCapacity } from "./cli/capacity.js";
import { addCompare } from "./cli/compare.js";
import { addDoctor } from "./cli/doctor.js";
import { addEmulator } from "./cli/emulator.js";
import { HELP_LAYOUT } from "./cli/help-layout.js";
import { examples, type CliContext } from "./cli/options.js";
import { addMerge } from "./cli/merge.js";
import { addPurge } from "./cli/purge.js";
import { addReport } from "./cli/report.js";
import { addRun } from "./cli/run.js";
import { addServe } from "./cli/serve.js";
import { refuseRepeatedValues } from "./cli/single-values.js";
import { addSoak } from "./cli/soak.js";
import { addStatus } from "./cli/status.js";
import { addTerminate } from "./cli/terminate.js";
import { addTimeline } from "./cli/timeline.js";
import { addWorker } from "./cli/worker.js";
import type { CommandIo } from "./commands/io.js";
import { watched } from "./commands/watched-stream.js";
import { FanoutError, codeOf, isAnswer, type ErrorCode, type ErrorFacts } from "./errors.js";
import { ExitCode } from "./exit-codes.js";
import { errorText } from "./format/error-text.js";
import { plainText } from "./format/one-line.js";
import { FANOUT_VERSION } from "./version.js";

/** Runs a command line, the words after `fanout`. Returns the exit code, and prints an error for a person. */
export async function runProgram(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.Success;
  const stdout = watched(io.stdout);
  const fanout = commandLine({ io: { ...io, stdout: stdout.stream }, argv, exit: (code) => void (exitCode = code) });
  let wantsJson = false;
  onJsonFlag(fanout, (file) => (wantsJson = file === undefined));
  try {
    if (argv.length === 0) fanout.help({ error: true });
    await fanout.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    // If there is no such command, none has read `--json`.
    wantsJson ||= isUnknownCommand(error) && argv.includes("--json");
    const facts = wantsJson && !stdout.isUsed() ? factsOf(error) : undefined;
    if (facts !== undefined) io.stdout.write(`${JSON.stringify({ error: facts }, plainStrings)}\n`);
    return reportError(error, argv, io);
  }
}

function commandLine(context: CliContext): Command {
  const { io } = context;
  const fanout = new Command("fanout")
    .description("Load-tests Durable Task backends with fan-out/fan-in orchestrations.")
    .version(FANOUT_VERSION, "-V, --version", "print the version")
    .option("--debug", "print the stack of an error")
    .option("--no-color", "print without colours (NO_COLOR does the same)")
    .helpOption("-h, --help", "print this help")
    .configureHelp(HELP_LAYOUT)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    })
    .addHelpText(
      "after",
      examples(["fanout run", "fanout run --iterations 100 --parallel-activities 100", "fanout worker"]),
    );
  const run = addRun(fanout, context);
  addCapacity(fanout, context);
  addSoak(fanout, context);
  addWorker(fanout, context);
  addServe(fanout, run, context);
  addDoctor(fanout, context);
  addStatus(fanout, context);
  addTimeline(fanout, context);
  addTerminate(fanout, context);
  addPurge(fanout, context);
  addReport(fanout, context);
  addMerge(fanout, context);
  addCompare(fanout, context);
  addEmulator(fanout, context);
  refuseRepeatedValues(fanout);
  return fanout;
}

/**
 * Calls `onFlag` if the command line has `--json`: with its file, or with undefined for stdout. It also works if the
 * parser refuses another word before a command runs.
 */
function onJsonFlag(command: Command, onFlag: (file: string | undefined) => void): void {
  command.on("option:json", (file: unknown) => onFlag(typeof file === "string" ? file : undefined));
  for (const subcommand of command.commands) onJsonFlag(subcommand, onFlag);
}

/** The form of an error for programs; undefined for `--help`. */
function factsOf(error: unknown): ErrorFacts | undefined {
  if (error instanceof FanoutError) return error.facts;
  if (error instanceof CommanderError) return error.exitCode === 0 ? undefined : commandLineFacts(error);
  return { code: codeOf(error), message: errorText(error) };
}

/** Translates an error of the parser: `error: unknown option '--rat'`, with a suggestion on a second line. */
function commandLineFacts({ code, message }: CommanderError): ErrorFacts {
  const [problem = "", suggestion] = message.replace(/^error: /u, "").split("\n");
  const hint = suggestion?.replace(/^\((.*)\)$/u, "$1");
  return { code: PARSER_CODES[code] ?? "invalid-usage", message: problem, ...(hint !== undefined && { hint }) };
}

function isUnknownCommand(error: unknown): boolean {
  return error instanceof CommanderError && error.code === "commander.unknownCommand";
}

const PARSER_CODES: Readonly<Record<string, ErrorCode>> = {
  "commander.unknownOption": "unknown-flag",
  "commander.unknownCommand": "unknown-command",
  "commander.missingArgument": "missing-flag",
  "commander.missingMandatoryOptionValue": "missing-flag",
  "commander.optionMissingArgument": "missing-flag",
  "commander.conflictingOption": "conflicting-flags",
};

function plainStrings(_key: string, value: unknown): unknown {
  return typeof value === "string" ? plainText(value) : value;
}

/** Prints an error for a person, and returns its exit code. */
export function reportError(error: unknown, argv: readonly string[], io: CommandIo): ExitCode {
  const debug = argv.includes("--debug");
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Success : ExitCode.Usage;
  const stack = debug && error instanceof Error ? `${error.stack ?? ""}\n` : "";
  if (error instanceof FanoutError) {
    io.stderr.write(plainText(`error: ${error.message}\n${stack}`));
    return error.exitCode;
  }
  const message = errorText(error);
  if (isAnswer(error)) {
    io.stderr.write(plainText(`error: the backend answered ${message}\n${stack}`));
    return ExitCode.Failure;
  }
  const hint = debug ? "" : " (run it again with --debug to see the stack)";
  io.stderr.write(plainText(`error: internal error: ${message}${hint}\n${stack}`));
  return ExitCode.Failure;
}
