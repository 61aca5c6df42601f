import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { z } from "zod";
import { UsageError } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { JsonDepthError, readJson } from "../format/read-json.js";
import type { RunResult } from "./run-result.js";
import { comparedSidesSchema, type ComparedSides } from "../report/compared-sides.js";
import { resultSchema, SCHEMA_VERSION } from "./result-schema.js";

const LONGEST_FOUND = 60;

/**
 * The results in a file that `fanout run --json FILE` wrote, one or a list of them; `-` is stdin.
 * @throws UsageError
 */
export async function readResults(file: string): Promise<readonly RunResult[]> {
  return parseResults(await contentOf(file), nameOf(file));
}

/**
 * The one result in such a file.
 * @throws UsageError also where there are several
 */
export async function readResult(file: string): Promise<RunResult> {
  return parseResult(await contentOf(file), nameOf(file));
}

/**
 * The one result that `resultJson` wrote; `name` is what errors call it.
 * @throws UsageError
 */
export function parseResult(content: string, name: string): RunResult {
  const [result, ...more] = parseResults(content, name);
  if (result && more.length === 0) return result;
  throw new UsageError(`${name}: expected one result, found a list of ${more.length + 1}`);
}

/**
 * One result, or a list of at least one; `name` is what errors call it.
 * @throws UsageError
 */
export function parseResults(content: string, name: string): readonly RunResult[] {
  const value = parseJson(content, name);
  if (!Array.isArray(value)) return [checked(value, name)];
  if (value.length === 0) throw new UsageError(`${name}: expected a result or a list of them, found an empty list`);
  return value.map((item, index) => checked(item, `${name}: result ${index + 1}`));
}

/**
 * What `fanout compare --run ... --json FILE` wrote into a file; undefined where it holds something else.
 * @throws UsageError where it is such a document and broken
 */
export async function readComparedSides(file: string): Promise<ComparedSides | undefined> {
  const value = parseJson(await contentOf(file), nameOf(file));
  return isComparedSides(value) ? checkedBy(comparedSidesSchema, value, nameOf(file)) : undefined;
}

function isComparedSides(value: unknown): boolean {
  return valueAt(value, ["sides"]) !== undefined;
}

function checked(value: unknown, name: string): RunResult {
  if (isComparedSides(value)) {
    throw new UsageError(
      `${name}: expected results of one side, found several: \`fanout compare ${name}\` compares them`,
    );
  }
  return checkedBy(resultSchema, value, name);
}

function checkedBy<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const version = valueAt(value, ["schemaVersion"]);
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    const expected = `expected ${SCHEMA_VERSION}, found ${version}`;
    throw new UsageError(`${name}: schemaVersion: ${expected}: a newer fanout wrote it, update this one`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.length ? issue.path.join(".") : "the result";
  throw new UsageError(
    `${name}: ${field}: expected ${issue?.message}, found ${foundText(valueAt(value, issue?.path ?? []))}`,
  );
}

async function contentOf(file: string): Promise<string> {
  if (file === "-") return text(process.stdin);
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new UsageError(`expected a file that \`fanout run --json FILE\` wrote, found ${errorText(error)}`, {
      cause: error,
    });
  });
}

function nameOf(file: string): string {
  return file === "-" ? "stdin" : file;
}

function parseJson(content: string, name: string): unknown {
  try {
    // Shells of Windows begin what they redirect with a byte order mark.
    return readJson(content.replace(/^\uFEFF/u, ""));
  } catch (error) {
    if (error instanceof JsonDepthError) throw new UsageError(`${name}: ${error.message}`, { cause: error });
    const found = content.trim() === "" ? "nothing" : `what is no JSON: ${errorText(error)}`;
    throw new UsageError(`${name}: expected the JSON that \`fanout run --json FILE\` wrote, found ${found}`, {
      cause: error,
    });
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (typeof found === "object" && found !== null ? Reflect.get(found, key) : undefined),
    value,
  );
}

/** JSON text has no control characters, so that it is safe to print. */
function foundText(value: unknown): string {
  if (value === undefined) return "nothing";
  const json = JSON.stringify(value);
  return json.length > LONGEST_FOUND ? `${json.slice(0, LONGEST_FOUND)}...` : json;
}
