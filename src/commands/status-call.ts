import type { Backend } from "../backend/backend.js";
import { FanoutError } from "../errors.js";
import type { ExitCode } from "../exit-codes.js";
import { inertJson } from "../format/json-text.js";
import { oneLine } from "../format/one-line.js";
import type { LookedUp } from "../hub/look-up.js";
import type { CommandIo } from "./io.js";

/** What one `fanout status` asks, and where it writes. */
export interface StatusCall {
  readonly backend: Backend;
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly io: CommandIo;
}

/** The error about ids that the hub does not know; undefined if it knows all. */
export function unknownInstances(
  { unknown }: Pick<LookedUp, "unknown">,
  { connection: { taskHub } }: Backend,
): FanoutError | undefined {
  const [first, ...more] = unknown.map((id) => `task hub ${taskHub} has no instance "${oneLine(id)}"`);
  if (first === undefined) return undefined;
  return new FanoutError("instance-not-found", first, {
    more: more.map((problem) => new FanoutError("instance-not-found", problem)),
  });
}

/** Reports the ids that the hub does not know. */
export function unknownExitCode(
  looked: Pick<LookedUp, "unknown">,
  { backend, io }: Pick<StatusCall, "backend" | "io">,
): ExitCode | undefined {
  const error = unknownInstances(looked, backend);
  if (error !== undefined) io.stderr.write(`error: ${error.message}\n`);
  return error?.exitCode;
}

/** What `--json` tells of instances. */
export function instancesContent(looked: LookedUp, backend: Backend): object {
  const error = unknownInstances(looked, backend);
  return { ...looked, ...(error && { error: error.facts }) };
}

/** What `--json` writes: one document, or one line of a watch. */
export function documentOf(backend: Backend, content: object, indent: number | undefined = 2): string {
  const { taskHub } = backend.connection;
  return inertJson(JSON.stringify({ schemaVersion: 1, taskHub, ...content }, undefined, indent));
}

export function write(io: CommandIo, text: string): void {
  if (text !== "") io.stdout.write(`${text}\n`);
}
