import { readFileSync } from "node:fs";
import { z } from "zod";
import { UsageError } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { readJson } from "../format/read-json.js";

/** Somebody's own orchestration, which a worker of theirs hosts: what it does is not known. */
export interface ForeignPlan {
  /** Its name. */
  readonly orchestrator: string;
  /** Absent means none. */
  readonly orchestratorInput?: unknown;
}

/** The flags of `fanout run` that name one, as commander hands them over. */
export const foreignFlags = {
  orchestrator: z.string().min(1, "--orchestrator: expected a name, found nothing").optional(),
  input: z.string().optional(),
};

/** Throws a UsageError if the input is no JSON, cannot be read, or is given without a name. */
export function foreignOf(flags: z.output<z.ZodObject<typeof foreignFlags>>): ForeignPlan | undefined {
  const { orchestrator, input } = flags;
  if (orchestrator === undefined) {
    if (input === undefined) return undefined;
    throw new UsageError(
      "missing-flag",
      "--input: it is what --orchestrator starts with; expected both, found --input alone",
    );
  }
  return { orchestrator, ...(input !== undefined && { orchestratorInput: readInput(input) }) };
}

/** JSON text, or `@` and the name of a file that holds it. */
function readInput(text: string): unknown {
  const file = text.startsWith("@") ? text.slice(1) : undefined;
  let json: string;
  try {
    json = file === undefined ? text : readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError("invalid-file", `--input: the file cannot be read: ${errorText(error)}`, { cause: error });
  }
  try {
    return readJson(json);
  } catch (error) {
    const [code, place] =
      file === undefined
        ? (["invalid-value", "JSON or @FILE"] as const)
        : (["invalid-file", `JSON in ${file}`] as const);
    throw new UsageError(code, `--input: expected ${place}: ${errorText(error)}`, { cause: error });
  }
}
