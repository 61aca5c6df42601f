import { Command, CommanderError } from "commander";
import { addCompare } from "./cli/compare.js";
import { addDoctor } from "./cli/doctor.js";
import { addEmulator } from "./cli/emulator.js";
import { HELP_LAYOUT } from "./cli/help-layout.js";
import { examples } from "./cli/options.js";
import { addPurge } from "./cli/purge.js";
import { addReport } from "./cli/report.js";
import { addRun } from "./cli/run.js";
import { addServe } from "./cli/serve.js";
import { refuseRepeatedValues } from "./cli/single-values.js";
import { addStatus } from "./cli/status.js";
import { addTerminate } from "./cli/terminate.js";
import { addWorker } from "./cli/worker.js";
import type { CommandIo } from "./commands/io.js";
import { FanoutError } from "./errors.js";
import { ExitCode } from "./exit-codes.js";
import { errorText } from "./format/error-text.js";
import { plainText } from "./format/one-line.js";
import { FANOUT_VERSION } from "./version.js";

const io: CommandIo = { stdout: process.stdout, stderr: process.stderr };

/** Set by the command that runs: commander's own promise carries no value. */
let exitCode: ExitCode = ExitCode.Success;

function program(): Command {
  const fanout = new Command("fanout")
    .description("Load test for Durable Task backends: fan-out/fan-in orchestrations, measured honestly.")
    .version(FANOUT_VERSION, "-V, --version", "print the version")
    .option("--debug", "print the stack of an error")
    .option("--no-color", "print without colours (NO_COLOR does the same)")
    .helpOption("-h, --help", "print this help")
    .configureHelp(HELP_LAYOUT)
    .exitOverride()
    .addHelpText(
      "after",
      examples(["fanout run", "fanout run --iterations 100 --parallel-activities 100", "fanout worker"]),
    );
  const context = { io, exit: (code: ExitCode) => void (exitCode = code) };
  addRun(fanout, context);
  addWorker(fanout, context);
  addServe(fanout, context);
  addDoctor(fanout, context);
  addStatus(fanout, context);
  addTerminate(fanout, context);
  addPurge(fanout, context);
  addReport(fanout, context);
  addCompare(fanout, context);
  addEmulator(fanout, context);
  refuseRepeatedValues(fanout);
  return fanout;
}

/** Prints an error for a person and returns the exit code it stands for. */
function report(error: unknown, debug: boolean): ExitCode {
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

/** Of a gRPC call, by its shape: gRPC takes too long to load for a command that makes no call. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}

/** What a write fails with whose reader has gone: `fanout ... | head`, or a terminal that was closed. */
const NOBODY_READS: readonly (string | undefined)[] = ["EPIPE", "EIO", "ERR_STREAM_DESTROYED"];

/** That nobody reads any more is no error of ours: a run still has to end in order and to write its files. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!NOBODY_READS.includes(error.code)) throw error;
    });
  }
}

/** Resolves once everything written so far has left the process, or never will. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

async function main(argv: readonly string[]): Promise<void> {
  outliveReaders();
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
