import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { CsvError, parse } from "csv-parse/sync";
import { UsageError } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { readJson } from "../format/read-json.js";
import { uniformAt } from "../orchestrations/hash-draw.js";
import type { ResultPlan } from "../result/run-result.js";

export type InputOrder = PlanInputs["order"];

/** What a result tells of a file with an input for each start. */
export type PlanInputs = NonNullable<ResultPlan["inputs"]>;

/** A file with an input for each start. */
export interface InputFile {
  readonly inputs: PlanInputs;
  readonly inputPath: string;
  /** The inputs themselves, in the order of the file. */
  readonly inputValues: readonly unknown[];
}

/** All inputs are held in memory. */
const MOST_BYTES = 256 * 2 ** 20;
/** Keeps the draws of inputs apart from those of arrivals, which have the same seed. */
const INPUT_DRAW = 0x1e7;

const READERS: ReadonlyMap<string, (text: string, file: string) => readonly unknown[]> = new Map([
  ["jsonl", jsonLines],
  ["ndjson", jsonLines],
  ["csv", csvRows],
]);

/** Whether a file has one input on each line, by the end of its name. */
export function hasInputLines(file: string): boolean {
  return readerOf(file) !== undefined;
}

/** @throws UsageError that names the file and the line which holds no input */
export function readInputLines(file: string, order: InputOrder): InputFile {
  const bytes = contentOf(file);
  const inputValues = readerOf(file)!(textOf(bytes, file), file);
  if (inputValues.length === 0) throw invalid(`expected at least one input in ${file}, found none`);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { inputs: { file: basename(file), lines: inputValues.length, order, sha256 }, inputPath: file, inputValues };
}

/**
 * Reads again the inputs of a plan that another process has read: they are too large for a message.
 * @throws UsageError if the file has changed
 */
export function withInputValues<Plan extends Partial<InputFile>>(plan: Plan): Plan {
  const { inputs, inputPath } = plan;
  if (inputs === undefined || inputPath === undefined) return plan;
  const again = readInputLines(inputPath, inputs.order);
  if (again.inputs.sha256 === inputs.sha256) return { ...plan, inputValues: again.inputValues };
  throw invalid(`expected ${inputPath} as the run read it first, found it changed`);
}

/** The place in the file, from 0 on, of the input of the start with this number in the whole run. */
export function inputPlace({ lines, order }: PlanInputs, sequence: number, seed: number): number {
  if (order === "random") return Math.floor(uniformAt(seed, sequence, INPUT_DRAW) * lines);
  return sequence % lines;
}

function readerOf(file: string) {
  return READERS.get(/\.(?<ending>\w+)$/u.exec(file)?.[1]?.toLowerCase() ?? "");
}

function contentOf(file: string): Buffer {
  const stats = orUnreadable(() => statSync(file));
  // A pipe gives its content only once, and each generator reads the file again.
  if (!stats.isFile()) throw invalid(`expected a regular file, found ${file}, which is none`);
  if (stats.size <= MOST_BYTES) return orUnreadable(() => readFileSync(file));
  throw invalid(`expected at most 256 MiB in ${file}, found ${Math.ceil(stats.size / 2 ** 20)} MiB`);
}

function orUnreadable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw invalid(`the file cannot be read: ${errorText(error)}`, error);
  }
}

/** The text without a byte order mark. */
function textOf(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid(`expected UTF-8 in ${file}, found other bytes`, error);
  }
}

/** One JSON value on each line. Empty lines do not count. */
function jsonLines(text: string, file: string): readonly unknown[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    try {
      return [readJson(line)];
    } catch (error) {
      throw invalid(`expected JSON on each line, found none at ${file}:${index + 1}: ${errorText(error)}`, error);
    }
  });
}

/** An object for each row, with the fields of the first row and with strings as values, since CSV has no types. */
function csvRows(text: string, file: string): readonly unknown[] {
  const [names = [], ...rows] = csvRecords(text, file);
  const wrong = names.find((name, index) => name === "" || names.indexOf(name) !== index);
  if (wrong !== undefined) {
    const found = wrong === "" ? "a column without one" : `"${wrong}" twice`;
    throw invalid(`expected a different name for each column in the first row of ${file}, found ${found}`);
  }
  return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]!])));
}

function csvRecords(text: string, file: string): string[][] {
  try {
    return parse(text, { skip_empty_lines: true });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const reason = error.message.replace(/ (?:on|at) line \d+/u, "");
    throw invalid(`expected CSV at ${file}:${String(error["lines"])}: ${reason}`, error);
  }
}

function invalid(problem: string, cause?: unknown): UsageError {
  return new UsageError("invalid-file", `--input: ${problem}`, { cause });
}
