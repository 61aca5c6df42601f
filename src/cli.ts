import type { CommandIo } from "./commands/io.js";
import { FanoutError } from "./errors.js";
import { errorText } from "./format/error-text.js";
import { reportError, runProgram } from "./program.js";

const io: CommandIo = { stdout: process.stdout, stderr: process.stderr };

/**
 * Errors of a write without a reader: `fanout ...
 * head`, or a terminal that was closed.
 */
const NOBODY_READS: readonly (string | undefined)[] = ["EPIPE", "EIO", "ERR_STREAM_DESTROYED"];

/** A missing reader is no error: a run still has to end in order and write its files. */
function outliveReaders(): void {
  for (const [name, stream] of Object.entries({ output: process.stdout, "error output": process.stderr })) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (NOBODY_READS.includes(error.code)) return;
      throw new FanoutError("unwritable-file", `the standard ${name} cannot be written: ${errorText(error)}`, {
        cause: error,
      });
    });
  }
}

/** Resolves when everything written so far has left the process, or never will. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

async function main(argv: readonly string[]): Promise<void> {
  outliveReaders();
  // Node, chalk and commander treat the two variables differently. Here NO_COLOR always wins.
  if (argv.includes("--no-color")) process.env["NO_COLOR"] = "1";
  if (process.env["NO_COLOR"]) delete process.env["FORCE_COLOR"];
  process.once("uncaughtException", (error) => process.exit(reportError(error, argv, io)));
  const exitCode = await runProgram(argv, io);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exitCode);
}

await main(process.argv.slice(2));
