import { Option } from "commander";
import type { CommandIo } from "../commands/io.js";
import type { ExitCode } from "../exit-codes.js";

/** What the action of a command needs. Its exit code goes to `exit`, since commander's promise carries no value. */
export interface CliContext {
  readonly io: CommandIo;
  /** The words after `fanout`, including `--`, which commander drops. */
  readonly argv: readonly string[];
  readonly exit: (code: ExitCode) => void;
}

export const CONNECTION_STRING = [
  "--connection-string <string>",
  "the backend (default: the environment or appsettings.json, else the embedded emulator; `fanout doctor` prints it)",
] as const;
export const ARRIVAL = [
  "--arrival <kind>",
  "the arrivals of open load: constant, or poisson for random ones (default: constant)",
] as const;
export const SEED = ["--seed <number>", "the seed of random arrivals and durations (default: 0)"] as const;
export const LABEL = ["--label <key=value>", "a label in the result, to find it again; repeatable"] as const;
export const TRANSPORT = [
  "--transport <link|http2|grpc-js>",
  "the transport to the backend (default: the leanest that it supports)",
] as const;
export const REPLAY = [
  "--replay <sessions|always>",
  "keep orchestrations in the worker between episodes, or replay the history at each one (default: sessions)",
] as const;
export const MAX_OUTAGE = [
  "--max-outage <duration>",
  "end a run whose backend answers no call for so long (default: 5m)",
] as const;
export const TASK_HUB = ["--task-hub <name>", "the task hub (default: the one in the connection string)"] as const;
/** `--yes` needs it if a person chose the run id: the instances may then belong to another application. */
export const ORCHESTRATOR_OF_RUN = [
  "--orchestrator <name>",
  "an orchestration that the run started; needed with --yes if you chose both it and the run id; repeatable",
] as const;

/** Unlike `option`, prints the default without quotes. */
export function withDefault(flags: string, description: string, value: string): Option {
  return new Option(flags, description).default(value, value);
}

/** Of commands that start workers for one load. */
export function workersOption(): Option {
  const description = "worker processes to start; auto starts some if the embedded emulator has none";
  return withDefault("--workers <auto|count>", description, "auto");
}

/** A flag that may be given more than once. Its value is a list, or absent. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}
