import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { z } from "zod";
import { UsageError } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { JsonDepthError, readJson } from "../format/read-json.js";
import { SCHEMA_VERSION } from "./result-schema.js";

const LONGEST_FOUND = 60;

/** A JSON value, not yet checked, and what errors call it. */
export interface ResultDocument {
  readonly value: unknown;
  readonly name: string;
}

/**
 * The JSON of a file; `-` is stdin.
 * @throws UsageError
 */
export async function documentIn(file: string): Promise<ResultDocument> {
  const name = file === "-" ? "stdin" : file;
  return { value: documentOf(await contentOf(file), name), name };
}

/** Whether it is what `fanout compare --run ... --json` writes, of several sides, be it broken. */
export function hasSides(value: unknown): boolean {
  return valueAt(value, ["sides"]) !== undefined;
}

/**
 * The value, if it is what the schema describes.
 * @throws UsageError that names the first field that is not
 */
export function checkedBy<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const version = valueAt(value, ["schemaVersion"]);
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    const expected = `expected ${SCHEMA_VERSION}, found ${version}`;
    throw new UsageError("invalid-file", `${name}: schemaVersion: ${expected}: a newer fanout wrote it`, {
      hint: "update this one",
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.length ? issue.path.join(".") : "the result";
  const found = foundText(valueAt(value, issue?.path ?? []));
  throw new UsageError("invalid-file", `${name}: ${field}: expected ${issue?.message}, found ${found}`);
}

async function contentOf(file: string): Promise<string> {
  if (file === "-") return text(process.stdin);
  return readFile(file, "utf8").catch((error: unknown) => {
    const problem = `expected a file that \`fanout run --json FILE\` wrote, found ${errorText(error)}`;
    throw new UsageError("invalid-file", problem, { cause: error });
  });
}

/** @throws UsageError */
export function documentOf(content: string, name: string): unknown {
  try {
    // Shells of Windows begin what they redirect with a byte order mark.
    return readJson(content.replace(/^\uFEFF/u, ""));
  } catch (error) {
    if (error instanceof JsonDepthError)
      throw new UsageError("invalid-file", `${name}: ${error.message}`, { cause: error });
    const found = content.trim() === "" ? "nothing" : `what is no JSON: ${errorText(error)}`;
    const problem = `${name}: expected the JSON that \`fanout run --json FILE\` wrote, found ${found}`;
    throw new UsageError("invalid-file", problem, { cause: error });
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
