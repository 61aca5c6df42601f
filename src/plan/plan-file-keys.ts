import { z } from "zod";

/** A flag of `fanout run`, as a key of a plan file. */
export interface PlanKey {
  /** The long name of the flag, in camel case. */
  readonly name: string;
  readonly kind: "switch" | "value" | "optional-value" | "list";
  readonly description: string;
}

const text = z.union([z.string(), z.number()], "expected text or a number");

const VALUES = {
  switch: z.boolean("expected true or false"),
  value: text,
  "optional-value": z.union([z.string(), z.literal(true)], "expected a file, or true for the standard output"),
  list: z.array(text, "expected a list of texts"),
} satisfies Record<PlanKey["kind"], z.ZodType>;

/** A plan file has its keys and values, as far as a flag's own reader does not know more. */
export function planFileSchema(keys: readonly PlanKey[]) {
  const fields = keys.map(({ name, kind, description }) => {
    const value = name === "input" ? z.json() : VALUES[kind];
    return [name, value.optional().describe(description)] as const;
  });
  return z.strictObject(Object.fromEntries(fields));
}
