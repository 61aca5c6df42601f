import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

// Relative to this folder.
export const RESULT_SCHEMA = "../../../schema/run-result.v1.schema.json";
export const COMPARISON_SCHEMA = "../../../schema/comparison.v1.schema.json";
export const CAPACITY_SCHEMA = "../../../schema/capacity.v1.schema.json";
export const SIDES_SCHEMA = "../../../schema/compared-sides.v1.schema.json";
export const PLAN_SCHEMA = "../../../schema/plan.v1.schema.json";
export const SOAK_SCHEMA = "../../../schema/soak.v1.schema.json";
export const SOAK_EVIDENCE_SCHEMA = "../../../schema/soak-evidence.v1.schema.json";
export const TIMELINES_SCHEMA = "../../../schema/timelines.v1.schema.json";

/** What a published schema finds wrong with a value, by an implementation that is not the one it was made with. */
export function schemaErrors(value: unknown, schema: string = RESULT_SCHEMA): readonly string[] {
  return errorsBy(validatorOf(schema), value);
}

/** The fields of a result that the published schema allows and does not describe. */
export function unknownFields(result: unknown): readonly string[] {
  return errorsBy(validatorOf(RESULT_SCHEMA, closed), result);
}

const validators = new Map<string, ValidateFunction>();

/** To compile one takes half a second. */
function validatorOf(schema: string, change?: (key: string, part: unknown) => unknown): ValidateFunction {
  const name = `${schema} ${change?.name ?? ""}`;
  const known = validators.get(name);
  if (known) return known;
  // A format is told beside the pattern that is it.
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, validateFormats: false });
  const validate = ajv.compile(JSON.parse(readFileSync(new URL(schema, import.meta.url), "utf8"), change));
  validators.set(name, validate);
  return validate;
}

function errorsBy(validate: ValidateFunction, value: unknown): readonly string[] {
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message = "", params }) =>
      `${instancePath} ${message}${"additionalProperty" in params ? `: ${params["additionalProperty"]}` : ""}`,
  );
}

/** Forbids what an object that has known fields may have besides. */
function closed(_key: string, part: unknown): unknown {
  const isObject = typeof part === "object" && part !== null && "properties" in part && "additionalProperties" in part;
  return isObject && Object.keys(part.properties as object).length > 0
    ? { ...part, additionalProperties: false }
    : part;
}
