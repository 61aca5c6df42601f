import type { FastifyInstance, FastifyRequest, FastifySchemaCompiler } from "fastify";
import type { z } from "zod";
import { shortened } from "../format/one-line.js";
import { JsonDepthError, readJson } from "../format/read-json.js";
import { HttpError } from "./http-error.js";

const JSON_TYPE = /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?;?\s*$/iu;

/** Accepts only JSON in UTF-8. An empty body is undefined. */
export function acceptJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(
    "application/json",
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer) => {
      refuseOtherTypes(request);
      return body.length === 0 ? undefined : parseJson(body);
    },
  );
}

function refuseOtherTypes({ headers }: FastifyRequest): void {
  const encoding = headers["content-encoding"] ?? "identity";
  if (!JSON_TYPE.test(headers["content-type"] ?? "") || encoding.toLowerCase() !== "identity")
    throw new HttpError(415, "Expected the content type application/json, in UTF-8 and without compression.");
}

const NO_JSON = "Expected a JSON body, found something else.";

function parseJson(body: Buffer): unknown {
  try {
    return readJson(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    const message = error instanceof JsonDepthError ? `The body: ${error.message}.` : NO_JSON;
    throw new HttpError(400, message, { cause: error });
  }
}

/**
 * A hook that gives the keys of an object's body the letter case of the schema. A missing body becomes an empty object.
 * Unknown keys stay, and the schema refuses them.
 */
export function keysOf(schema: z.ZodObject): (request: FastifyRequest) => Promise<void> {
  const names = new Map(Object.keys(schema.shape).map((name) => [name.toLowerCase(), name]));
  return async (request) => {
    const body = request.body === undefined ? {} : request.body;
    if (typeof body !== "object" || body === null || Array.isArray(body))
      throw new HttpError(400, "Expected a JSON object as the body, found another value.");

    const entries = Object.entries(body).map(([key, value]) => [names.get(key.toLowerCase()) ?? key, value] as const);
    const seen = new Set<string>();
    for (const [name] of entries) {
      if (seen.has(name)) throw new HttpError(400, `${name}: expected once, found twice.`, { field: name });
      seen.add(name);
    }
    request.body = Object.fromEntries(entries);
  };
}

/** Validates a part of a request. The answer names the first wrong field. */
export const zodValidator: FastifySchemaCompiler<z.ZodType> = ({ schema }) => {
  return (value: unknown) => {
    const result = schema.safeParse(value);
    return result.success ? { value: result.data } : { error: wrongField(result.error, value) };
  };
};

function wrongField({ issues: [issue] }: z.ZodError, value: unknown): HttpError {
  if (issue === undefined) return new HttpError(400, "Expected another body.");
  const [unknownKey] = issue.code === "unrecognized_keys" ? issue.keys : [];
  const path = unknownKey === undefined ? issue.path : [...issue.path, unknownKey];
  if (path.length === 0) return new HttpError(400, `The body: ${issue.message}.`);
  const field = path.map(String).join(".");
  const found = JSON.stringify(path.reduce(property, value)) ?? "nothing";
  if (issue.code === "custom") return new HttpError(400, `${field}: ${issue.message}.`, { field });
  const message = unknownKey === undefined ? `${issue.message}, found ${shown(found)}` : "unknown field";
  return new HttpError(400, `${shown(field)}: ${message}.`, { field });
}

function shown(text: string): string {
  return shortened(text, 60);
}

function property(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
