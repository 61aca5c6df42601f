import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FanoutError, UsageError } from "../errors.js";
import type { RunResult } from "../stats/run-result.js";
import { errorText } from "../format/error-text.js";

/** The result as JSON text for people and programs alike, with a final newline. */
export function resultJson(result: RunResult): string {
  return `${JSON.stringify(result, undefined, 2)}\n`;
}

/**
 * Checks that a result can be written to `file` before a run spends its time on one.
 * @throws UsageError
 */
export async function checkJsonFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory()) throw new UsageError(`--json: expected a file, found the folder ${file}`);
  if (found && !found.isFile()) return;
  try {
    await access(dirname(file), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UsageError(`--json: expected a folder to write to, found ${errorText(error)}`, { cause: error });
  }
}

/**
 * Writes the result so that `file` never holds a part of one. What is no regular file, such as a pipe, is written to
 * and not replaced; a link stays a link.
 * @throws FanoutError
 */
export async function writeJsonFile(file: string, result: RunResult): Promise<void> {
  const target = await realpath(file).catch(() => file);
  const found = await stat(target).catch(() => undefined);
  try {
    if (found && !found.isFile()) await writeFile(target, resultJson(result));
    else await replaceFile(target, resultJson(result));
  } catch (error) {
    const reason = errorText(error);
    throw new FanoutError(`--json: the result could not be written to ${file}: ${reason}`, undefined, { cause: error });
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}`);
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
