import type { Backend } from "../backend/backend.js";
import { ExitCode } from "../exit-codes.js";
import { inertJson } from "../format/json-text.js";
import type { CommandIo } from "./io.js";

/** What one `fanout status` asks, and where it writes. */
export interface StatusCall {
  readonly backend: Backend;
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly io: CommandIo;
}

/** Names what the hub does not know; undefined if it knows all. */
export function unknownExitCode(unknown: readonly string[], backend: Backend, io: CommandIo): ExitCode | undefined {
  for (const id of unknown) io.stderr.write(`error: task hub ${backend.connection.taskHub} has no instance "${id}"\n`);

  return unknown.length > 0 ? ExitCode.Failure : undefined;
}

/** What `--json` writes: one document, or one line of a watch. */
export function documentOf(backend: Backend, content: object, indent: number | undefined = 2): string {
  const { taskHub } = backend.connection;
  return inertJson(JSON.stringify({ schemaVersion: 1, taskHub, ...content }, undefined, indent));
}

export function write(io: CommandIo, text: string): void {
  if (text !== "") io.stdout.write(`${text}\n`);
}
