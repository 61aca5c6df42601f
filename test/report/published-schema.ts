import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

/** Relative to this folder. */
export const PUBLISHED_SCHEMA = "../../schema/run-result.v1.schema.json";

// A format is told beside the pattern that is it.
const ajv = new Ajv2020({ strict: true, validateFormats: false });
const validate = ajv.compile(JSON.parse(readFileSync(new URL(PUBLISHED_SCHEMA, import.meta.url), "utf8")));

/** What the published schema finds wrong with a value, by an implementation that is not the one it was made with. */
export function schemaErrors(value: unknown): readonly string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message = "" }) => `${instancePath} ${message}`);
}
