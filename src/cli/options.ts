import { Option } from "commander";
import type { CommandIo } from "../commands/io.js";
import type { ExitCode } from "../exit-codes.js";

/** What a command's action needs: where to write, and where its exit code goes, for commander's promise carries no value. */
export interface CliContext {
  readonly io: CommandIo;
  /** The words behind `fanout`, `--` among them, which commander takes out. */
  readonly argv: readonly string[];
  readonly exit: (code: ExitCode) => void;
}

export const CONNECTION_STRING = [
  "--connection-string <string>",
  "the backend (default: DURABLE_TASK_CONNECTION_STRING, else the embedded emulator; `fanout doctor` tells)",
] as const;
export const TRANSPORT = [
  "--transport <link|http2|grpc-js>",
  "how to speak with the backend (default: the leanest that it has)",
] as const;
export const REPLAY = [
  "--replay <sessions|always>",
  "keep orchestrations in the worker between episodes, or replay the history at each (default: sessions)",
] as const;
export const TASK_HUB = ["--task-hub <name>", "the task hub (default: that of the connection string)"] as const;
/** What `--yes` needs where a run id was chosen, and so may be that of another application's work. */
export const ORCHESTRATOR_OF_RUN = [
  "--orchestrator <name>",
  "the run started this orchestration; with --yes needed for a run of your own orchestration and run id",
] as const;

/** Like `option`, whose help would put the default in quotes. */
export function withDefault(flags: string, description: string, value: string): Option {
  return new Option(flags, description).default(value, value);
}

/** May be given more than once: its value is a list, and absent where it was not given. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}
