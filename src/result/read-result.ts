import { UsageError } from "../errors.js";
import { checkedBy, documentIn, documentOf, hasSides } from "./result-document.js";
import { resultSchema } from "./result-schema.js";
import type { RunResult } from "./run-result.js";

/**
 * The results in a file that `fanout run --json FILE` wrote, one or a list of them; `-` is stdin.
 * @throws UsageError
 */
export async function readResults(file: string): Promise<readonly RunResult[]> {
  const { value, name } = await documentIn(file);
  return resultsOf(value, name);
}

/**
 * The one result in such a file.
 * @throws UsageError also where there are several
 */
export async function readResult(file: string): Promise<RunResult> {
  const { value, name } = await documentIn(file);
  return onlyOf(resultsOf(value, name), name);
}

/**
 * The one result that `resultJson` wrote; `name` is what errors call it.
 * @throws UsageError
 */
export function parseResult(content: string, name: string): RunResult {
  return onlyOf(parseResults(content, name), name);
}

/**
 * One result, or a list of at least one; `name` is what errors call it.
 * @throws UsageError
 */
export function parseResults(content: string, name: string): readonly RunResult[] {
  return resultsOf(documentOf(content, name), name);
}

function resultsOf(value: unknown, name: string): readonly RunResult[] {
  if (!Array.isArray(value)) return [checked(value, name)];
  if (value.length === 0)
    throw new UsageError("invalid-file", `${name}: expected a result or a list of them, found an empty list`);
  return value.map((item, index) => checked(item, `${name}: result ${index + 1}`));
}

function onlyOf([result, ...more]: readonly RunResult[], name: string): RunResult {
  if (result && more.length === 0) return result;
  throw new UsageError("invalid-file", `${name}: expected one result, found a list of ${more.length + 1}`);
}

function checked(value: unknown, name: string): RunResult {
  if (hasSides(value)) {
    throw new UsageError("invalid-file", `${name}: expected results of one side, found several`, {
      hint: `\`fanout compare ${name}\` compares them`,
    });
  }
  return withTodaysWords(checkedBy(resultSchema, value, name));
}

/** Results of before had a word of their own for what the flag calls `disk`: both are to compare alike. */
function withTodaysWords(result: RunResult): RunResult {
  const { environment } = result;
  if (environment.backend.durability !== "fsync") return result;
  return { ...result, environment: { ...environment, backend: { ...environment.backend, durability: "disk" } } };
}
