import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

// Relative to this folder.
export const RESULT_SCHEMA = "../../../schema/run-result.v1.schema.json";
export const COMPARISON_SCHEMA = "../../../schema/comparison.v1.schema.json";
export const SIDES_SCHEMA = "../../../schema/compared-sides.v1.schema.json";

/** What a published schema finds wrong with a value, by an implementation that is not the one it was made with. */
export function schemaErrors(value: unknown, schema: string = RESULT_SCHEMA): readonly string[] {
  // A format is told beside the pattern that is it.
  const ajv = new Ajv2020({ strict: true, validateFormats: false });
  const validate = ajv.compile(JSON.parse(readFileSync(new URL(schema, import.meta.url), "utf8")));
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message = "" }) => `${instancePath} ${message}`);
}
