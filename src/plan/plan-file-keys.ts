import { z } from "zod";

/** A flag of `fanout run`, as a key of a plan file. */
export interface PlanKey {
  /** The long name of the flag, in camel case. */
  readonly name: string;
  readonly kind: "switch" | "value" | "optional-value" | "list" | "mix";
  readonly description: string;
  /** The heading of its flag in the help. */
  readonly group: string;
  /** What stands for its value there, such as `count` or `link|http2|grpc-js`; absent for a switch. */
  readonly placeholder?: string | undefined;
  /** Absent if the flag has none, or if its description says it. */
  readonly default?: string | undefined;
}

const text = z.union([z.string(), z.number()], "expected text or a number");

const mixed = z.strictObject(
  {
    orchestrator: z.string("expected the name of an orchestration").describe("its name"),
    weight: z
      .union([z.string(), z.number()], "expected a number above 0, such as 3")
      .describe("its share of the starts is its weight divided by the sum of all"),
    input: z.json().optional().describe("as the key input of the plan"),
    inputOrder: text.optional().describe("cycle or random"),
    instanceVersion: text.optional().describe("the version of its instances"),
  },
  // An unknown field is told by its name.
  {
    error: ({ code }) => (code === "unrecognized_keys" ? undefined : "expected fields such as orchestrator and weight"),
  },
);

export const FIELDS_OF_MIXED: readonly string[] = Object.keys(mixed.shape);

const NO_MIX = "expected a list of orchestrations";

const VALUES = {
  switch: z.boolean("expected true or false"),
  value: text,
  "optional-value": z.union([text, z.literal(true)], "expected a value, or true for the flag without one"),
  list: z.array(text, "expected a list of texts"),
  mix: z.array(mixed, NO_MIX),
} satisfies Record<PlanKey["kind"], z.ZodType>;

/** A plan file has its keys and values, as far as a flag's own reader does not know more. */
export function planFileSchema(keys: readonly PlanKey[]) {
  return schemaOf(keys, VALUES);
}

/** The same for a plan that comes without files: no file has several inputs, and so they have no order. */
export function planSchemaWithoutFiles(keys: readonly PlanKey[]) {
  return schemaOf(keys, { ...VALUES, mix: z.array(mixed.omit({ inputOrder: true }), NO_MIX) });
}

function schemaOf(keys: readonly PlanKey[], values: Readonly<Record<PlanKey["kind"], z.ZodType>>) {
  const fields = keys.map(({ name, kind, description }) => {
    const value = name === "input" ? z.json() : values[kind];
    return [name, value.optional().describe(description)] as const;
  });
  return z.strictObject(Object.fromEntries(fields));
}
