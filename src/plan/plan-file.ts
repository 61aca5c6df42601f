import { readFileSync, statSync } from "node:fs";
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, stringify, visit, type Document } from "yaml";
import { UsageError } from "../errors.js";
import { formatBytes } from "../format/bytes.js";
import { errorText } from "../format/error-text.js";
import { FIELDS_OF_MIXED, planFileSchema, type PlanKey } from "./plan-file-keys.js";

/** Flags by their names, as commander returns them. */
export type Flags = Readonly<Record<string, unknown>>;

export interface PlanFile {
  readonly flags: Flags;
  /**
   * The file and the line of a key, such as `plan.yaml:3`, or of a part of its value, such as `orchestrations.0.weight`;
   * undefined if the file has none.
   */
  readonly placeOf: (name: string) => string | undefined;
}

/** The parser takes seconds for a megabyte. The values of inputs have a file of their own. */
const LARGEST_BYTES = 262_144;
/** It may hold a secret, and belongs to a place more than to a plan. */
const NOT_WRITTEN = "connectionString";

/**
 * Reads a plan file: YAML, or JSON, which is YAML too. Its values are those of the flags with the same names.
 * @throws UsageError that names the line of each unknown key and of each value that no flag takes
 */
export function readPlanFile(file: string, keys: readonly PlanKey[]): PlanFile {
  const lines = new LineCounter();
  const values = new Map<string, unknown>();
  const lineOf = new Map<string, number>();
  const placeOf = (name: string): string | undefined => {
    const line = lineOf.get(name);
    return line === undefined ? undefined : `${file}:${line}`;
  };
  const document = documentOf(file, lines);
  if (!isMap(document.contents)) throw refused(`${file}: expected flags and their values, such as rate: 50/s`);
  for (const { key, value } of document.contents.items) {
    const line = lineOfNode(key, lines);
    // Its content may be a secret.
    if (!isScalar(key)) throw refused(`${file}:${line}: expected the name of a flag, found a key of another kind`);
    const name = String(key.value);
    lineOf.set(name, line);
    const lineAt = (path: string, node: unknown) => lineOf.set(`${name}.${path}`, lineOfNode(node, lines));
    try {
      const isMix = keys.some((flag) => flag.name === name && flag.kind === "mix");
      values.set(name, isMix ? mixOf(value, document, lineAt) : fieldOf(name, value, document));
    } catch (error) {
      // An alias without an anchor, or one within its own anchor.
      throw refused(`${placeOf(name)}: ${name}: ${errorText(error)}`, undefined, error);
    }
  }
  const parsed = planFileSchema(keys).safeParse(Object.fromEntries(values));
  if (parsed.success) {
    const flags = Object.entries(parsed.data).filter(([, value]) => value !== false);
    return { flags: Object.fromEntries(flags), placeOf };
  }
  const [first, ...more] = parsed.error.issues.flatMap((issue) => {
    const [name = "", ...part] = issue.path;
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const place = placeOf([...issue.path, key].join("."));
        return part.length === 0
          ? refused(`${place}: there is no flag ${key}`, suggestion(key, keys))
          : refused(
              `${place}: ${String(name)}: there is no field ${key}`,
              `the fields are ${FIELDS_OF_MIXED.join(", ")}`,
            );
      });
    }
    const found = placeOf(issue.path.join(".")) ?? placeOf(issue.path.slice(0, -1).join(".")) ?? placeOf(String(name));
    return [refused(`${found}: ${String(part[1] ?? name)}: ${issue.message}`)];
  });
  throw UsageError.all([first!, ...more]);
}

/** The text of a plan file that has these flags. */
export function planFileText(flags: Flags, keys: readonly PlanKey[]): string {
  const given = keys.filter(({ name }) => flags[name] !== undefined && name !== NOT_WRITTEN);
  return stringify(Object.fromEntries(given.map(({ name, kind }) => [name, writtenOf(flags[name], kind)])), {
    lineWidth: 0,
  });
}

function documentOf(file: string, lines: LineCounter): Document {
  let text: string;
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new Error("it is no regular file");
    if (found.size > LARGEST_BYTES) throw new Error(`it has ${formatBytes(found.size)}, more than any plan`);
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw refused(`--plan: the file cannot be read: ${errorText(error)}`, undefined, error);
  }
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = [...document.errors, ...document.warnings];
  if (error) throw refused(`${file}:${lines.linePos(error.pos[0]).line}: ${error.message}`, undefined, error);
  return document;
}

/** Tells `lineAt` where each orchestration is, and each of its fields. */
function mixOf(node: unknown, document: Document, lineAt: (path: string, node: unknown) => void): unknown {
  const list = resolved(node, document);
  if (!isSeq(list)) return scalarOf(list);
  return list.items.map((item, place) => {
    lineAt(String(place), item);
    const entry = resolved(item, document);
    if (!isMap(entry)) return scalarOf(entry);
    const fields = entry.items.map(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : "";
      lineAt(`${place}.${name}`, key);
      return [name, fieldOf(name, value, document)] as const;
    });
    return Object.fromEntries(fields);
  });
}

function lineOfNode(node: unknown, lines: LineCounter): number {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined;
  return lines.linePos(range?.[0] ?? 0).line;
}

function fieldOf(name: string, node: unknown, document: Document): unknown {
  return name === "input" ? inputText(node, document) : valueOf(node, document);
}

/** A number is its text: 1.10 is a version, and no 1.1. */
function valueOf(node: unknown, document: Document): unknown {
  const value = resolved(node, document);
  return isSeq(value) ? value.items.map((item) => scalarOf(resolved(item, document))) : scalarOf(value);
}

function resolved(node: unknown, document: Document): unknown {
  const value = isAlias(node) ? node.resolve(document) : node;
  if (value === undefined) throw new Error("the alias has no anchor before it");
  return value;
}

/** No flag takes a mapping, or a list within a list: each is an empty object, which the schema refuses. */
function scalarOf(value: unknown): unknown {
  if (isScalar(value)) return typeof value.value === "number" ? (value.source ?? String(value.value)) : value.value;
  return isMap(value) || isSeq(value) ? {} : value;
}

/** An input is text as on the command line, or any other value, which is its own JSON. */
function inputText(node: unknown, document: Document): unknown {
  if (isScalar(node) || isMap(node) || isSeq(node)) {
    visit(node, {
      Scalar(_key, { value, source }) {
        if (typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value)) return;
        throw new Error(`${source} has more digits than a number keeps; write it as text, in quotes`);
      },
    });
  }
  const value: unknown = isScalar(node)
    ? node.value
    : isMap(node) || isSeq(node) || isAlias(node)
      ? node.toJS(document)
      : null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function writtenOf(value: unknown, kind: PlanKey["kind"]): unknown {
  if (kind !== "mix") return shortest(value);
  return (value as readonly object[]).map((entry) =>
    Object.fromEntries(Object.entries(entry).map(([name, field]) => [name, shortest(field)])),
  );
}

/** A count without quotes. */
function shortest(value: unknown): unknown {
  return typeof value === "string" && /^(?:0|[1-9]\d{0,14})$/u.test(value) ? Number(value) : value;
}

/** The keys are in camel case. People write those of flags. */
function suggestion(name: string, keys: readonly PlanKey[]): string | undefined {
  const camel = name.replace(/^-+/u, "").replaceAll(/[-_](\w)/gu, (_, letter: string) => letter.toUpperCase());
  const known = keys.find((key) => key.name.toLowerCase() === camel.toLowerCase());
  return known && `did you mean ${known.name}?`;
}

function refused(problem: string, hint?: string, cause?: unknown): UsageError {
  return new UsageError("invalid-file", problem, { hint, cause });
}
