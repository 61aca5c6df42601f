import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FanoutError, UsageError } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { inertJson } from "../format/json-text.js";
import type { RunResult } from "../result/run-result.js";

/** The result as JSON text with a final newline, readable for people too. */
export function resultJson(result: RunResult): string {
  return `${inertJson(prettyJson(result))}\n`;
}

/** Several results as a list, in the same form. */
export function resultsJson(results: readonly RunResult[]): string {
  return `${inertJson(prettyJson(results))}\n`;
}

/**
 * Checks that `file`, the value of a flag such as `--json`, can be written to before a run spends its time. It writes a
 * temporary file beside it, because permissions do not show every obstacle.
 * @throws UsageError
 */
export async function checkFile(flag: string, file: string): Promise<void> {
  if (file === "") throw new UsageError("invalid-value", `${flag}: expected the name of a file, found nothing`);
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory() || /[/\\]$/u.test(file))
    throw new UsageError("unwritable-file", `${flag}: expected a file, found the folder ${file}`);

  try {
    if (found) await access(file, constants.W_OK);
    if (found && !found.isFile()) return;
    const target = await realpath(file).catch(() => file);
    const trial = temporaryFor(target);
    await writeFile(trial, "", { flag: "wx" });
    await rm(trial, { force: true });
  } catch (error) {
    const text = `${flag}: expected a file that can be written, found ${file}: ${errorText(error)}`;
    throw new UsageError("unwritable-file", text, { cause: error });
  }
}

/**
 * Writes `text` to `file`, the value of a flag, so that the file never holds a part of it. A pipe or another special
 * file is written to and not replaced. A link stays a link.
 * @throws FanoutError
 */
export async function writeFileWhole(flag: string, file: string, text: string): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const found = await stat(target).catch(() => undefined);
  try {
    if (found && !found.isFile()) await writeFile(target, text);
    else await replaceFile(target, text);
  } catch (error) {
    const message = `${flag}: the result could not be written to ${file}: ${errorText(error)}`;
    throw new FanoutError("unwritable-file", message, { cause: error });
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = temporaryFor(file);
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function temporaryFor(file: string): string {
  return join(dirname(file), `.${basename(file)}.${randomUUID()}`);
}

/**
 * As `JSON.stringify` with two blanks, but with an array of numbers on one line, because a result may have thousands of
 * them.
 */
export function prettyJson(value: unknown, indent = ""): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.every(Number.isFinite)) return `[${value.join(", ")}]`;
    return `[\n${value.map((item) => inner + prettyJson(item, inner)).join(",\n")}\n${indent}]`;
  }
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => `${inner}${JSON.stringify(name)}: ${prettyJson(field, inner)}`);
  return fields.length === 0 ? "{}" : `{\n${fields.join(",\n")}\n${indent}}`;
}
