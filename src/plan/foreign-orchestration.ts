import { readFileSync } from "node:fs";
import { z } from "zod";
import { UsageError } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { readJson } from "../format/read-json.js";
import { hasInputLines, readInputLines, type InputFile } from "./input-lines.js";

/** Somebody's own orchestration, which their own worker hosts. Its content is unknown. */
export interface ForeignPlan extends Partial<InputFile> {
  /** Its name. */
  readonly orchestrator: string;
  /** The input of all starts. Absent means none, or `inputs`. */
  readonly orchestratorInput?: unknown;
}

/** Its flags of `fanout run`, as commander returns them. */
export const foreignFlags = {
  orchestrator: z.string().min(1, "--orchestrator: expected a name, found nothing").optional(),
  input: z.string().optional(),
  inputOrder: z
    .enum(["cycle", "random", "once"], {
      error: ({ input }) => `--input-order: expected cycle, random or once, found ${JSON.stringify(input)}`,
    })
    .optional(),
};

/** @throws UsageError if the input is no JSON, cannot be read, or has no name with it */
export function foreignOf(flags: z.output<z.ZodObject<typeof foreignFlags>>): ForeignPlan | undefined {
  const { orchestrator, input, inputOrder } = flags;
  const lines = input?.startsWith("@") && hasInputLines(input) ? input.slice(1) : undefined;
  if (inputOrder !== undefined && lines === undefined) {
    throw new UsageError("missing-flag", "--input-order: expected --input with a file of several inputs with it", {
      hint: "such as --input @orders.jsonl or --input @orders.csv",
    });
  }
  if (orchestrator === undefined) {
    if (input === undefined) return undefined;
    throw new UsageError("missing-flag", "--input: expected --orchestrator with it, found --input alone");
  }
  if (lines !== undefined) return { orchestrator, ...readInputLines(lines, inputOrder ?? "cycle") };
  return { orchestrator, ...(input !== undefined && { orchestratorInput: readInput(input) }) };
}

/** Reads JSON text, or the file behind `@`. */
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
